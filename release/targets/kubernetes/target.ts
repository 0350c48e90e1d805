import type { Environment } from "../../../environments/environment.ts";
import { COLOR_LABEL, colorName, LIVE_SERVICE, PORTS, PREVIEW_SERVICE } from "../../../environments/names.ts";
import { other, type Color } from "../../color.ts";
import type { ReleaseRecord } from "../../record.ts";
import {
  TargetUnreachable,
  TrafficMoved,
  type Endpoint,
  type Lease,
  type PodHealth,
  type Snapshot,
  type Target,
} from "../../target.ts";
import { askAdminPort, HEALTH, METRICS, type AdminQuestion } from "../admin-port.ts";
import { ask, connect, JSON_PATCH, pointer, refused, type Cluster } from "./cluster.ts";
import { Forward } from "./forward.ts";
import { ClusterLease } from "./lease.ts";
import { hasColor, isReady, listPods, liveColor, look } from "./look.ts";
import { deployColor } from "./stage.ts";

const selected = `/spec/selector/${pointer(COLOR_LABEL)}`;

/** Releases to pods behind a Service. What it reads and changes needs the Kubernetes API alone; only `stage` needs Terraform. */
export class KubernetesTarget implements Target {
  /** What the user called the environment: a name, or a path. */
  readonly #name: string;
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #forwards: Forward[] = [];
  #lease: ClusterLease | undefined;

  /** @throws UsageError when the environment's context is not in the kubeconfig */
  constructor(name: string, environment: Environment) {
    this.#name = name;
    this.#environment = environment;
    this.#cluster = connect(environment);
  }

  async look(): Promise<Snapshot> {
    return await look(this.#cluster);
  }

  async stage(color: Color, image: string): Promise<void> {
    // Terraform refuses that too, but only after a minute, and in words of its own.
    const live = await liveColor(this.#cluster);
    if (live === color) throw new TrafficMoved(other(color), live);
    await deployColor(this.#name, this.#environment, color, image);
    // Whoever wants to see the new version before it is live finds it there.
    await this.#select(PREVIEW_SERVICE, [{ op: "replace", path: selected, value: color }]);
  }

  async pin(color: Color, pods: number | undefined): Promise<void> {
    const { autoscaling, namespace } = this.#cluster;
    const { minReplicas } = this.#environment.scaling;
    const body = [{ op: "replace", path: "/spec/minReplicas", value: Math.max(minReplicas, pods ?? 0) }];
    const autoscaler = { namespace, name: colorName(color), body };
    await ask(
      `hold ${color} at ${pods ?? minReplicas} pods`,
      autoscaling.patchNamespacedHorizontalPodAutoscaler(autoscaler, JSON_PATCH),
    );
  }

  async moveTraffic(from: Color, to: Color): Promise<void> {
    // Whoever took the lease over may have decided otherwise by now.
    await this.#lease?.assertHeld();
    try {
      await this.#select(LIVE_SERVICE, [
        { op: "test", path: selected, value: from },
        { op: "replace", path: selected, value: to },
      ]);
    } catch (error) {
      if (refused(error, "testFailed")) throw new TrafficMoved(from, await liveColor(this.#cluster));
      throw error;
    }
  }

  async record(release: ReleaseRecord): Promise<void> {
    if (this.#lease === undefined) throw new TargetUnreachable("the release lease is not held");
    await this.#lease.write(release);
  }

  async lease(holder: string, takeOver: boolean): Promise<Lease> {
    this.#lease = await ClusterLease.take(this.#cluster, holder, takeOver);
    return this.#lease.keep();
  }

  async endpoint(color: Color): Promise<Endpoint> {
    const pods = (await this.#podsOf(color)).filter(isReady).map(nameOf);
    const forward = await this.#forward(pods, PORTS.mcp.number);
    return { url: new URL("/mcp", forward.origin), fetch };
  }

  async health(color: Color): Promise<readonly PodHealth[]> {
    return await this.#askPods(color, HEALTH);
  }

  async metrics(color: Color): Promise<ReadonlyMap<string, string>> {
    return new Map(await this.#askPods(color, METRICS));
  }

  async close(): Promise<void> {
    await Promise.all(this.#forwards.splice(0).map((forward) => forward.close()));
  }

  async #podsOf(color: Color) {
    return (await listPods(this.#cluster)).filter(hasColor(color));
  }

  async #forward(pods: readonly string[], port: number): Promise<Forward> {
    const forward = await Forward.open(this.#cluster.kubeconfig, this.#cluster.namespace, pods, port);
    this.#forwards.push(forward);
    return forward;
  }

  async #askPods<T>(color: Color, question: AdminQuestion<T>): Promise<T[]> {
    const { kubeconfig, namespace } = this.#cluster;
    const pods = (await this.#podsOf(color)).map(nameOf);
    return await Promise.all(
      pods.map(async (pod) => {
        const forward = await Forward.open(kubeconfig, namespace, [pod], PORTS.admin.number);
        try {
          return await askAdminPort(forward.origin, pod, question);
        } finally {
          await forward.close();
        }
      }),
    );
  }

  async #select(service: string, body: readonly object[]): Promise<void> {
    const { core, namespace } = this.#cluster;
    const patch = core.patchNamespacedService({ namespace, name: service, body }, JSON_PATCH);
    await ask(`change the selector of Service '${service}'`, patch);
  }
}

const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string => metadata?.name ?? "";
