import { COLOR_LABEL, EPOCH_ANNOTATION } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE, RELEASE_LEASE } from "../default-names.ts";
import { COLORS, other, type Color } from "../../environment/color.ts";
import { Displaced, LeaseHeld, StateChanged, TargetUnreachable, TrafficMoved } from "../../release/errors.ts";
import type { Target } from "../../release/ports/target.ts";
import type { ObjectRef } from "../../release/targets/kubernetes/api/kube-api.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { acquire, aRecord } from "../release/contract/world.ts";
import { ManualClock } from "../release/manual-clock.ts";
import type { Client } from "./client.ts";
import { deployEnvironment } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { same } from "./json.ts";
import type { Server } from "./store-api.ts";
import { KubeStore, type Change, type StoredObject } from "./store.ts";
import { moveByOperator, SCALING } from "./world.ts";

/** @param arrive where the client's writes arrive */ /** @param arrive where the client's writes arrive */
export type Connect = (arrive: Server, store: KubeStore) => Client | Promise<Client>;

/** What the schedule may do next. Numbers are indices, taken modulo what there is. */
export type Step =
  /** A new process begins a release. */
  | { readonly do: "start"; readonly takeOver: boolean; readonly skewMs: number }
  /** A process goes on until it has made so many further requests. Others stand still. */
  | { readonly do: "run"; readonly process: number; readonly requests: number }
  /** Time passes for one process. For the others none does, as if they were suspended. */
  | { readonly do: "pass"; readonly process: number; readonly ms: number }
  /** A process ends at once. Its requests that wait are never sent. */
  | { readonly do: "kill"; readonly process: number }
  /** The next request of a process does not arrive, or its answer does not. */
  | { readonly do: "fail"; readonly process: number; readonly how: "unreachable" | "unanswered" }
  /** Terraform writes the environment's minimum, without looking at the fence. */
  | { readonly do: "deploy"; readonly color: Color }
  /** Terraform or a person replaces an object, which then has no fence. */
  | { readonly do: "replace"; readonly object: number }
  /** A person moves the traffic with kubectl. */
  | { readonly do: "operate"; readonly to: Color }
  | { readonly do: "delete-lease" };

const LEASE = { kind: "Lease", name: RELEASE_LEASE } as const;

const OBJECTS: readonly ObjectRef[] = [
  { kind: "Service", name: LIVE_SERVICE },
  { kind: "Service", name: `${LIVE_SERVICE}-preview` },
  ...COLORS.flatMap((color): ObjectRef[] => [
    { kind: "HorizontalPodAutoscaler", name: colorName(color) },
    { kind: "Deployment", name: colorName(color) },
  ]),
];

/** Errors with which a release may end. Any other one is a fault. */
const EXPECTED = [Displaced, LeaseHeld, StateChanged, TrafficMoved, TargetUnreachable];

const MOST_PROCESSES = 4;

/** One environment with two or more releases in it, of which the schedule decides every request. */
export class Model {
  readonly violations: string[] = [];
  /** How often something happened that a schedule is to reach. */
  readonly reached = { granted: 0, moved: 0, displaced: 0, fencedAgain: 0 };
  readonly #store = new KubeStore();
  readonly #connect: Connect;
  readonly #processes: Process[] = [];
  readonly #clients: Client[] = [];
  /** The highest epoch with which an object of this name was ever fenced. */
  readonly #highest = new Map<string, number>();
  readonly #granted = new Set<number>();
  #marks = 0;

  constructor(connect: Connect) {
    this.#connect = connect;
    deployEnvironment(this.#store);
    this.#store.onChange((change) => {
      this.#checkTraffic(change);
    });
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "start":
        if (this.#processes.length >= MOST_PROCESSES) return;
        await this.#start(step);
        return;
      case "run":
        await this.#process(step.process)?.run(step.requests);
        return;
      case "pass":
        await this.#process(step.process)?.clock.pass(step.ms);
        return;
      case "kill": {
        const killed = this.#process(step.process);
        if (killed !== undefined) this.#processes.splice(this.#processes.indexOf(killed), 1);
        return;
      }
      case "fail":
        this.#process(step.process)?.client.faults.add({ does: step.how });
        return;
      case "deploy":
        this.#store.edit({ kind: "HorizontalPodAutoscaler", name: colorName(step.color) }, ({ spec }) => {
          spec.minReplicas = SCALING.minReplicas;
        });
        return;
      case "replace":
        this.#replace(OBJECTS[step.object % OBJECTS.length]);
        return;
      case "operate":
        moveByOperator(this.#store, step.to);
        return;
      case "delete-lease":
        if (!this.#forgets(LEASE)) this.#store.remove(LEASE);
    }
  }

  #process(index: number): Process | undefined {
    return this.#processes[index % Math.max(1, this.#processes.length)];
  }

  /** Closes every client that was opened. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #start({ takeOver, skewMs }: Extract<Step, { do: "start" }>): Promise<void> {
    let process: Process | undefined = undefined;
    const arrive = watched(this.#store, (change) => {
      this.#checkWrite(process?.epoch, change);
    });
    const client = await this.#connect(arrive, this.#store);
    this.#clients.push(client);
    process = new Process(client, this.#store, skewMs);
    this.#processes.push(process);
    this.#follow(process, this.#release(process, takeOver));
    await client.settled();
  }

  #follow(process: Process, release: Promise<void>): void {
    void release
      .catch((error: unknown) => {
        if (error instanceof Displaced) this.reached.displaced += 1;
        if (!EXPECTED.some((kind) => error instanceof kind)) this.violations.push(`a fault: ${inspect(error)}`);
      })
      .finally(() => {
        const index = this.#processes.indexOf(process);
        if (index >= 0) this.#processes.splice(index, 1);
      });
  }

  /** A release as the engine makes it, without its gates and waits. */
  async #release(process: Process, takeOver: boolean): Promise<void> {
    const { target } = process;
    const authority = await acquire(target, "release", takeOver);
    process.epoch = authority.fence.epoch;
    this.#checkGranted(authority.fence.epoch);
    try {
      for (let tries = 0; tries < 3; tries++) {
        try {
          await this.#phases(target, process, authority);
          break;
        } catch (error) {
          if (error instanceof StateChanged) this.reached.fencedAgain += 1;
          const again = [StateChanged, TrafficMoved, TargetUnreachable].some((kind) => error instanceof kind);
          if (!again) throw error;
        }
      }
    } finally {
      await authority.release();
    }
  }

  async #phases(target: Target, process: Process, authority: Awaited<ReturnType<typeof acquire>>): Promise<void> {
    const { fence } = authority;
    const from = await target.traffic.live();
    const to = other(from);
    await authority.write(aRecord({ phase: "stage" }));
    this.#marks += 1;
    await target.staging.stage({ color: to, image: "app:2", mark: `${this.#marks}` }, fence, process.signal);
    await target.capacity.hold(to, 4, fence);
    await target.traffic.move(from, to, fence);
    this.reached.moved += 1;
    await target.capacity.hold(to, undefined, fence);
    await authority.write(aRecord({ phase: "ended" }));
  }

  #replace(object: ObjectRef | undefined): void {
    const found = object && this.#store.get(object);
    if (object === undefined || found === undefined || this.#forgets(object)) return;
    this.#store.remove(object);
    this.#store.create(object.kind, { metadata: { name: object.name }, spec: found.spec });
  }

  /** Whether nothing would be left of the last holder's epoch: no fence helps where all of it was deleted. */
  #forgets(removed: ObjectRef): boolean {
    const left = [LEASE, ...OBJECTS].filter((object) => object.name !== removed.name || object.kind !== removed.kind);
    return Math.max(...left.map((object) => fenceOf(this.#store.get(object)))) < Math.max(0, ...this.#granted);
  }

  /** Exactly one color is selected. */
  #checkTraffic({ kind, after }: Change): void {
    if (kind !== "Service" || after?.metadata.name !== LIVE_SERVICE) return;
    const selected = after.spec?.selector?.[COLOR_LABEL];
    if (!COLORS.some((color) => color === selected)) this.violations.push(`the traffic goes to '${selected}'`);
  }

  /** No two holders have the same epoch, and none may decide before it has fenced every object. */
  #checkGranted(epoch: number): void {
    this.reached.granted += 1;
    if (this.#granted.has(epoch)) this.violations.push(`${epoch} was granted twice`);
    this.#granted.add(epoch);
    for (const object of OBJECTS) {
      const fenced = this.#highest.get(object.kind + object.name) ?? 0;
      if (fenced < epoch) this.violations.push(`${epoch} was granted, but ${object.name} was fenced with ${fenced}`);
    }
  }

  /** No write lands on an object that a later holder has fenced, and a fence goes only upwards. */
  #checkWrite(epoch: number | undefined, { kind, before, after }: Change): void {
    if (before === undefined || after === undefined || kind === "Lease" || kind === "Event") return;
    const name = kind + after.metadata.name;
    const was = fenceOf(before);
    const is = fenceOf(after);
    if (is < was) this.violations.push(`the fence of ${name} went from ${was} to ${is}`);
    const highest = this.#highest.get(name) ?? 0;
    if (!same(before.spec, after.spec) && (epoch ?? 0) < Math.max(highest, was)) {
      this.violations.push(`a holder with ${epoch} changed ${name}, which ${highest} had fenced`);
    }
    this.#highest.set(name, Math.max(highest, is));
  }
}

/** One process that releases: its own network, and its own clock. */
class Process {
  /** Of the lease that it holds. */
  epoch: number | undefined;
  readonly clock: ManualClock;
  readonly client: Client;
  readonly target: Target;
  readonly signal = new AbortController().signal;
  readonly #waiting: (() => void)[] = [];

  constructor(client: Client, store: KubeStore, skewMs: number) {
    this.clock = new ManualClock(skewMs, () => client.settled());
    this.client = client;
    client.before = () => this.#turn();
    const staging = () => new FakeStaging(store, () => this.#turn());
    this.target = kubernetesTarget({ api: client, environment: { scaling: SCALING }, staging, clock: this.clock });
  }

  async run(requests: number): Promise<void> {
    for (let count = 0; count < requests && this.#waiting.length > 0;) {
      for (const go of this.#waiting.splice(0)) {
        count += 1;
        go();
      }
      await this.client.settled();
    }
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A store that tells of the writes that arrive here. */
function watched(store: KubeStore, wrote: (change: Change) => void): Server {
  const during = <T>(write: () => T): T => {
    const stop = store.onChange(wrote);
    try {
      return write();
    } finally {
      stop();
    }
  };
  return {
    namespace: store.namespace,
    get: (object) => store.get(object),
    list: (kind, options) => store.list(kind, options),
    create: (kind, object) => during(() => store.create(kind, object)),
    patch: (object, operations) => during(() => store.patch(object, operations)),
  };
}

const fenceOf = (object: StoredObject | undefined) => Number(object?.metadata.annotations?.[EPOCH_ANNOTATION] ?? 0);

const inspect = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
