import type { Environment } from "../../../environment/environment.ts";
import { MARK_ANNOTATION, type Names } from "../../../environment/names.ts";
import type { Color } from "../../../environment/color.ts";
import { StateChanged } from "../../errors.ts";
import type { Capacity, ColorState, PodReport } from "../../ports/capacity.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { KubeApi, KubeObject } from "./api/kube-api.ts";
import { attempt } from "./attempt.ts";
import type { Fences } from "./fences.ts";
import { reportOf } from "./pod-report.ts";
import {
  asSelector,
  imageOf,
  isNodeSilent,
  isReady,
  listPods,
  restartsOf,
  type Condition,
  type Container,
  type KubePod,
} from "./pods.ts";
import { Problems } from "./problems.ts";

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: { readonly containers?: readonly Container[] };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

interface Autoscaler extends KubeObject {
  readonly spec?: { readonly minReplicas?: number; readonly maxReplicas?: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const HASH_LABEL = "pod-template-hash";
const REVISION_ANNOTATION = "deployment.kubernetes.io/revision";

/** The pods of a color: a Deployment, and the autoscaler that alone sets its size. */
export class PodCapacity implements Capacity {
  /** A check is three requests: 1.5 a second, beside the renewal of the lease and a list of Events now and then. */
  readonly checkEveryMs = 2000;
  readonly #api: KubeApi;
  readonly #fences: Fences;
  readonly #scaling: Environment["scaling"];
  readonly #problems: Problems;

  constructor(api: KubeApi, fences: Fences, scaling: Environment["scaling"], clock: Clock) {
    this.#api = api;
    this.#fences = fences;
    this.#scaling = scaling;
    this.#problems = new Problems(api, clock);
  }

  async color(color: Color, signal?: AbortSignal): Promise<ColorState> {
    const [deployment, autoscaler, pods] = await Promise.all([
      this.#deployment(color, signal),
      attempt(
        `read the autoscaler of ${color}`,
        this.#api.get<Autoscaler>(autoscalerOf(this.#api.names, color), signal),
      ),
      listPods(this.#api, color, signal),
    ]);
    if (deployment === undefined) return { desired: 0, minimum: 0, pods: [] };
    const { spec, status } = deployment;
    const current = await this.#isCurrent(color, deployment, signal);
    const own = pods.filter(current);
    const minimum = autoscaler?.spec?.minReplicas ?? 1;
    return {
      image: imageOf(spec?.template?.spec?.containers),
      mark: markOf(spec?.template),
      desired: spec?.replicas ?? 1,
      minimum,
      maximum: autoscaler?.spec?.maxReplicas,
      heldAt: minimum > this.#scaling.minReplicas ? minimum : undefined,
      minimumBinds: autoscaler?.status?.conditions?.some(wantsFewer) ?? false,
      pods: pods.map((pod) => ({
        name: pod.metadata.name,
        ready: isReady(pod),
        restarts: restartsOf(pod),
        current: current(pod),
        nodeSilent: isNodeSilent(pod),
      })),
      rollingOut: isRollingOut(deployment) || own.length < pods.length,
      problems: await this.#problems.find(color, status?.conditions ?? [], own, signal),
    };
  }

  async explain(pod: string, signal?: AbortSignal): Promise<PodReport> {
    return await reportOf(this.#api, pod, signal);
  }

  async hold(color: Color, pods: number | undefined, fence: Fence, signal?: AbortSignal): Promise<void> {
    const { minReplicas, maxReplicas } = this.#scaling;
    const value = Math.max(minReplicas, Math.min(maxReplicas, pods ?? 0));
    const what = `hold ${color} at ${value} pods`;
    const operations = [{ op: "add", path: "/spec/minReplicas", value }] as const;
    const write = this.#fences.write({ object: autoscalerOf(this.#api.names, color), what, fence, operations }, signal);
    await (pods === undefined ? this.#unlessDeleted(color, write, signal) : write);
    if (pods !== undefined) await this.#wake(color, value, fence, signal);
  }

  /** Where others deleted the autoscaler there is no hold to remove. */
  async #unlessDeleted(color: Color, write: Promise<void>, signal?: AbortSignal): Promise<void> {
    await write.catch(async (error: unknown) => {
      if (!(error instanceof StateChanged)) throw error;
      const request = this.#api.get(autoscalerOf(this.#api.names, color), signal);
      if ((await attempt(`read the autoscaler of ${color}`, request)) !== undefined) throw error;
    });
  }

  /** Kubernetes disables the autoscaler of a color with no replicas, so that its minimum has no effect. */
  async #wake(color: Color, value: number, fence: Fence, signal?: AbortSignal): Promise<void> {
    const deployment = await this.#deployment(color, signal);
    if (deployment?.spec?.replicas !== 0) return;
    const operations = [
      { op: "test", path: "/spec/replicas", value: 0 },
      { op: "replace", path: "/spec/replicas", value },
    ] as const;
    const write = {
      object: deploymentOf(this.#api.names, color),
      what: `scale ${color} up from 0 to ${value} pods`,
      fence,
      operations,
    };
    await this.#fences.write(write, signal);
  }

  async #deployment(color: Color, signal?: AbortSignal): Promise<Deployment | undefined> {
    const request = this.#api.get<Deployment>(deploymentOf(this.#api.names, color), signal);
    return await attempt(`read the Deployment of ${color}`, request);
  }

  /**
   * Tells the pods of the last stage from earlier ones: by the mark, which a pod copies from the template, or without one
   * by the newest ReplicaSet. Never by the image's text, which an admission webhook may rewrite.
   */
  async #isCurrent(color: Color, deployment: Deployment, signal?: AbortSignal): Promise<(pod: KubePod) => boolean> {
    const mark = markOf(deployment.spec?.template);
    if (mark !== undefined) return (pod) => markOf(pod) === mark;
    if (!isRollingOut(deployment)) return () => true;
    const options = { labelSelector: asSelector(this.#api.names.colorLabels(color)) };
    const sets = await attempt(`list the ReplicaSets of ${color}`, this.#api.list("ReplicaSet", options, signal));
    const newest = [...sets].sort((a, b) => revisionOf(a) - revisionOf(b)).at(-1);
    const hash = newest?.metadata.labels?.[HASH_LABEL];
    return (pod) => hash !== undefined && pod.metadata.labels?.[HASH_LABEL] === hash;
  }
}

const deploymentOf = (names: Names, color: Color) => ({ kind: "Deployment", name: names.color(color) }) as const;

const autoscalerOf = (names: Names, color: Color) =>
  ({ kind: "HorizontalPodAutoscaler", name: names.color(color) }) as const;

/** As `kubectl rollout status` tells it; pods that are being deleted do not count. */
function isRollingOut({ metadata, status }: Deployment): boolean {
  const seen = status?.observedGeneration ?? 0;
  const old = (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return seen < (metadata.generation ?? 0) || old > 0;
}

/** @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/ "Status conditions" */
const wantsFewer = ({ type, status, reason }: Condition) =>
  type === "ScalingLimited" && status === "True" && reason === "TooFewReplicas";

interface Marked {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
}

const markOf = (marked: Marked | undefined): string | undefined => marked?.metadata?.annotations?.[MARK_ANNOTATION];

const revisionOf = ({ metadata }: KubeObject): number => Number(metadata.annotations?.[REVISION_ANNOTATION] ?? 0);
