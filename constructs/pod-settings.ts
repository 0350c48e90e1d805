import type { Names } from "../environment/names.ts";
import type { PodProps } from "./pod-props.ts";
import { podSpec, serverContainer } from "./pod-spec.ts";

/**
 * The whole pod template as canonical JSON, without what differs between colors and releases: color, image and mark. The
 * fields of the server's container are at the top, and those of the pod around it in `pod`.
 *
 * The settings that an environment wants, in a ConfigMap, and those that pods were staged with, in an annotation, are both
 * this text. Equal settings are equal texts.
 */
export const podSettings = (names: Names, pod: PodProps): string =>
  JSON.stringify(
    canonical({
      ...serverContainer(pod),
      pod: { ...podSpec(pod, names.labels), labels: pod.labels, annotations: pod.annotations, strategy: pod.strategy },
    }),
  );

/** The same value with the keys of every object in the order of their code units. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, canonical(part)]));
}
