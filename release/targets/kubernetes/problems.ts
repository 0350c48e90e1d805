import type { Color } from "../../../environment/color.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Problem } from "../../ports/capacity.ts";
import type { KubeApi } from "./api/kube-api.ts";
import { warningsOf } from "./pod-report.ts";
import { isReady, type Condition, type ContainerStatus, type KubePod } from "./pods.ts";

/** Reasons of a waiting container that do not go away by waiting. */
const FINAL = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"]);

/** Reasons for which a container waits while it starts normally. */
const NORMAL = new Set(["ContainerCreating", "PodInitializing"]);

/** A pod may take this long to become ready before its Events are read. */
const READY_WITHIN_MS = 5000;

/** Events of a color are read at most this often. */
const EVENTS_EVERY_MS = 5000;

/** Finds out why a color does not become ready, in the cluster's own words. */
export class Problems {
  readonly #api: KubeApi;
  readonly #clock: Clock;
  /** Since when this process has seen a pod start, by its uid or name. */
  readonly #starting = new Map<string, number>();
  readonly #events = new Map<Color, { readonly readAt: number; readonly problems: readonly Problem[] }>();

  constructor(api: KubeApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /**
   * @param conditions those of the Deployment
   * @param pods those of the last stage
   */
  async find(
    color: Color,
    conditions: readonly Condition[],
    pods: readonly KubePod[],
    signal?: AbortSignal,
  ): Promise<readonly Problem[]> {
    const paused = conditions.some(isPaused) ? [this.#paused(color)] : [];
    const found = [...conditions.flatMap(replicaFailure), ...pods.flatMap(podProblems)];
    const slow = this.#slow(color, pods);
    if (found.length > 0 || slow === undefined) return [...paused, ...found];
    return [...paused, ...(await this.#eventsOf(color, slow, signal))];
  }

  /** Not final: a paused Deployment still changes its number of pods, and a person may resume it. */
  #paused(color: Color): Problem {
    const name = this.#api.names.color(color);
    const resume = `kubectl rollout resume deployment/${name} --namespace ${this.#api.namespace}`;
    return problem(`Deployment '${name}' is paused and replaces no pod; run '${resume}'`, false);
  }

  /** A pod that has not become ready for some seconds, by this process's own clock. */
  #slow(color: Color, pods: readonly KubePod[]): KubePod | undefined {
    const now = this.#clock.now();
    const starting = pods.filter((pod) => !isReady(pod));
    const keys = new Set(starting.map((pod) => keyOf(color, pod)));
    for (const key of this.#starting.keys()) {
      if (key.startsWith(`${color} `) && !keys.has(key)) this.#starting.delete(key);
    }
    for (const key of keys) this.#starting.set(key, this.#starting.get(key) ?? now);
    return starting.find((pod) => now - (this.#starting.get(keyOf(color, pod)) ?? now) >= READY_WITHIN_MS);
  }

  /** Events explain and decide nothing: without them, or the right to read them, a release goes on. */
  async #eventsOf(color: Color, { metadata }: KubePod, signal?: AbortSignal): Promise<readonly Problem[]> {
    const now = this.#clock.now();
    const known = this.#events.get(color);
    if (known !== undefined && now - known.readAt < EVENTS_EVERY_MS) return known.problems;
    const last = (await warningsOf(this.#api, metadata.name, signal)).at(-1);
    const why = last?.message ?? last?.reason;
    const problems = [problem(`${metadata.name}: not ready${why === undefined ? "" : `: ${why}`}`, false)];
    this.#events.set(color, { readAt: now, problems });
    return problems;
  }
}

/** The controller writes this condition for `spec.paused`. */
const isPaused = ({ type, reason }: Condition) => type === "Progressing" && reason === "DeploymentPaused";

/** The Deployment cannot create pods: a quota, or an admission policy. */
function replicaFailure({ type, status, message = "" }: Condition): Problem[] {
  if (type !== "ReplicaFailure" || status !== "True") return [];
  return [problem(`no pod can be created: ${message}`, /exceeded quota|is forbidden|denied the request/.test(message))];
}

export function podProblems({ metadata, status }: KubePod): Problem[] {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") {
    return [problem(`${metadata.name}: ${scheduled.reason ?? "not scheduled"}: ${scheduled.message ?? ""}`, false)];
  }
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return containers.flatMap((container) => waiting(metadata.name, container));
}

function waiting(pod: string, { state, lastState }: ContainerStatus): Problem[] {
  const { reason, message } = state?.waiting ?? {};
  if (reason === undefined || NORMAL.has(reason)) return [];
  const ended = lastState?.terminated;
  const exit = ended === undefined ? undefined : `${ended.reason ?? "ended"} with exit code ${ended.exitCode}`;
  return [
    problem([`${pod}: ${reason}`, message, exit].filter((part) => part !== undefined).join(": "), FINAL.has(reason)),
  ];
}

const MAX_LENGTH = 400;

const problem = (what: string, final: boolean): Problem => ({
  what: what.replaceAll(/\s+/g, " ").trim().slice(0, MAX_LENGTH),
  final,
});

const keyOf = (color: Color, { metadata }: KubePod) => `${color} ${metadata.uid ?? metadata.name}`;
