import { COLOR_LABEL, type Names } from "../../../environment/names.ts";
import { COLORS, type Color } from "../../../environment/color.ts";
import { TrafficMoved, UsageError } from "../../errors.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Traffic } from "../../ports/traffic.ts";
import { pointer, type KubeApi, type KubeObject } from "./api/kube-api.ts";
import { attempt } from "./attempt.ts";
import { inWords, type Fences } from "./fences.ts";

interface Service extends KubeObject {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> };
}

const liveOf = ({ live }: Names) => ({ kind: "Service", name: live }) as const;
const SELECTED = `/spec/selector/${pointer(COLOR_LABEL)}`;

/** Sends new connections to one color by the selector of the live Service. */
export class SelectorTraffic implements Traffic {
  readonly #api: KubeApi;
  readonly #fences: Fences;
  readonly byRequest: boolean;

  /** @param byRequest an Ingress is in front of the Service. @default false */
  constructor(api: KubeApi, fences: Fences, byRequest = false) {
    this.#api = api;
    this.#fences = fences;
    this.byRequest = byRequest;
  }

  async live(signal?: AbortSignal): Promise<Color> {
    const object = liveOf(this.#api.names);
    const service = await attempt(`read ${inWords(object)}`, this.#api.get<Service>(object, signal));
    if (service === undefined) {
      throw new UsageError(
        `there is no ${inWords(object)} in namespace '${this.#api.namespace}'; deploy the environment`,
      );
    }
    this.#fences.checkOwner(service);
    return selected(service);
  }

  async move(from: Color, to: Color, fence: Fence, signal?: AbortSignal): Promise<void> {
    const operations = [
      { op: "test", path: SELECTED, value: from },
      { op: "replace", path: SELECTED, value: to },
    ] as const;
    const write = {
      object: liveOf(this.#api.names),
      what: `move the traffic from ${from} to ${to}`,
      fence,
      operations,
    };
    await this.#fences.write(write, signal, (service) => {
      const found = selected(service);
      return found === from ? undefined : new TrafficMoved(from, found);
    });
  }
}

/** @throws UsageError if the Service selects no color */
function selected({ metadata, spec }: Service): Color {
  const found = spec?.selector?.[COLOR_LABEL];
  const color = COLORS.find((color) => color === found);
  if (color !== undefined) return color;
  throw new UsageError(
    `Service '${metadata.name}' selects the color '${found ?? ""}'; set the selector '${COLOR_LABEL}' to ${COLORS.join(" or ")}`,
  );
}
