import type { DeploymentV1SpecTemplate } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { Color } from "../environment/color.ts";
import { CONTAINER, MARK_ANNOTATION, SETTINGS_ANNOTATION, type Names } from "../environment/names.ts";
import type { PodProps } from "./pod-props.ts";
import { podSettings } from "./pod-settings.ts";
import { podSpec, serverContainer } from "./pod-spec.ts";

export interface PodTemplateProps {
  readonly names: Names;
  readonly color: Color;
  readonly image: string;
  readonly pod: PodProps;

  /** @default - no release staged the pods */
  readonly mark?: string | undefined;
}

/**
 * A pod of a color, whole: image and settings together, so that one replaced pod is like its neighbors however long ago they
 * were staged. An annotation holds the settings, to be compared with those that the environment has now.
 */
export function podTemplate({ names, color, image, pod, mark }: PodTemplateProps): DeploymentV1SpecTemplate {
  const { sidecar, ...spec } = podSpec(pod, names.colorLabels(color));
  return {
    metadata: {
      labels: { ...pod.labels, ...names.colorLabels(color) },
      annotations: {
        ...pod.annotations,
        [SETTINGS_ANNOTATION]: podSettings(names, pod),
        ...(mark !== undefined && { [MARK_ANNOTATION]: mark }),
      },
    },
    spec: { ...spec, container: [{ ...serverContainer(pod, color), name: CONTAINER, image }, ...sidecar] },
  };
}
