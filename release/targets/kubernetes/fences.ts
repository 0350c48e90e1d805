import { ENVIRONMENT_LABEL, EPOCH_ANNOTATION, type Names } from "../../../environment/names.ts";
import { Displaced, StateChanged, UsageError } from "../../errors.ts";
import type { Fence } from "../../ports/fence.ts";
import { pointer, type KubeApi, type KubeObject, type ObjectRef, type Operation } from "./api/kube-api.ts";
import { attempt, isApiError, translated } from "./attempt.ts";

/**
 * Every object that a release changes, besides the Lease. Only the live Service must exist: a rollback moves the traffic
 * also when others have deleted an autoscaler. What is created later gets its fence with the first write.
 */
export const fenced = (names: Names): readonly ObjectRef[] => [
  { kind: "Service", name: names.live },
  { kind: "Service", name: names.preview },
  ...(["blue", "green"] as const).flatMap((color): ObjectRef[] => [
    { kind: "HorizontalPodAutoscaler", name: names.color(color) },
    { kind: "Deployment", name: names.color(color) },
  ]),
];

/** The lease behind a fence. */
export interface FencingLease {
  readonly epoch: number;
  /** @throws Displaced if the lease is not ours any more */
  confirm(signal?: AbortSignal): Promise<void>;
}

interface Write {
  readonly object: ObjectRef;
  /** In words, such as `move the traffic`. */
  readonly what: string;
  readonly fence: Fence;
  readonly operations: readonly Operation[];
}

const ANNOTATIONS = "/metadata/annotations";
export const EPOCH = `${ANNOTATIONS}/${pointer(EPOCH_ANNOTATION)}`;

/** How often a compare and swap starts over before it says that others keep changing the object. */
const TRIES = 10;

/** The epoch that fences an object; 0 without one. */
export function epochOf({ metadata }: KubeObject): number {
  const text = metadata.annotations?.[EPOCH_ANNOTATION] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

type ListTemporary = (signal?: AbortSignal) => Promise<readonly ObjectRef[]>;

export interface FencesOptions {
  /** Refuses the objects of another environment. @default - any are accepted */
  readonly environment?: string | undefined;

  /** Lists more objects that a release changes and that exist for a while. @default none */
  readonly temporary?: ListTemporary | undefined;
}

/** Writes to the objects of a release, each under the fence of a lease. */
export class Fences {
  readonly #api: KubeApi;
  readonly #environment: string | undefined;
  readonly #temporary: ListTemporary;
  #lease: FencingLease | undefined;

  constructor(api: KubeApi, { environment, temporary = () => Promise.resolve([]) }: FencesOptions = {}) {
    this.#api = api;
    this.#environment = environment;
    this.#temporary = temporary;
  }

  /** The lease to confirm before an object that lost its fence gets it back. */
  guard(lease: FencingLease): void {
    this.#lease = lease;
  }

  /** @throws UsageError if the live Service does not exist, or belongs to another environment */
  async highest(signal?: AbortSignal): Promise<number> {
    const found = await Promise.all((await this.#all(signal)).map((object) => this.#read(object, signal)));
    for (const object of found) if (object !== undefined) this.checkOwner(object);
    return Math.max(...found.map((object) => (object === undefined ? 0 : epochOf(object))));
  }

  /**
   * The live Service says to which environment the objects belong. One that was deployed before it did belongs to any.
   *
   * @throws UsageError
   */
  checkOwner({ metadata }: KubeObject): void {
    const owner = metadata.labels?.[ENVIRONMENT_LABEL];
    if (owner === undefined || this.#environment === undefined || owner === this.#environment) return;
    throw new UsageError(
      `'${metadata.name}' in namespace '${this.#api.namespace}' belongs to the environment '${owner}', not to ` +
        `'${this.#environment}': name that environment, or use another namespace`,
    );
  }

  /**
   * Writes an epoch to every object, only upwards.
   *
   * @returns false if an object had this epoch already: another one may be fencing with the same number
   * @throws Displaced if an object has a higher one
   */
  async raiseAll(epoch: number, signal?: AbortSignal): Promise<boolean> {
    for (const object of await this.#all(signal)) {
      if (!(await this.raise(object, epoch, signal))) return false;
    }
    return true;
  }

  async #all(signal?: AbortSignal): Promise<readonly ObjectRef[]> {
    return [...fenced(this.#api.names), ...(await this.#temporary(signal))];
  }

  /**
   * Changes an object only if it has this fence and every `test` among the operations holds.
   *
   * @param otherwise tells why a `test` of the operations failed. @default StateChanged
   * @throws Displaced if a later holder has fenced the object
   * @throws StateChanged if the object had lost its fence, and has it again
   * @throws TargetUnreachable, TargetRefused
   */
  async write(
    { object, what, fence, operations }: Write,
    signal?: AbortSignal,
    otherwise?: (found: KubeObject) => Error | undefined,
  ): Promise<void> {
    const test: Operation = { op: "test", path: EPOCH, value: String(fence.epoch) };
    try {
      await this.#api.patch(object, [test, ...operations], signal);
    } catch (error) {
      if (!isApiError(error, "test-failed", "not-found", "conflict")) throw translated(what, error);
      const found = await attempt(what, this.#api.get(object, signal));
      if (found === undefined) throw new StateChanged(`could not ${what}: ${inWords(object)} was deleted`);
      const epoch = epochOf(found);
      if (epoch > fence.epoch) throw displaced(object, epoch, fence.epoch);
      if (epoch < fence.epoch) await this.#fenceAgain(object, fence, signal);
      throw otherwise?.(found) ?? new StateChanged(`could not ${what}: ${inWords(object)} has changed`);
    }
  }

  /**
   * An object without the fence was replaced. It gets the fence back while the lease is still ours.
   *
   * The lease is confirmed again afterwards: a later holder may have fenced the object before it was replaced once more,
   * and then this late fence must not open it for our writes.
   */
  async #fenceAgain(object: ObjectRef, { epoch }: Fence, signal?: AbortSignal): Promise<never> {
    if (this.#lease?.epoch !== epoch) throw new Displaced(`epoch ${epoch} is not that of a lease that is held here`);
    await this.#lease.confirm(signal);
    await this.raise(object, epoch, signal);
    await this.#lease.confirm(signal);
    throw new StateChanged(`${inWords(object)} was replaced, and is fenced again with epoch ${epoch}`);
  }

  /**
   * Writes an epoch to one object, only upwards. Compares and swaps the fence alone: other parts of an object change all the
   * time.
   *
   * @returns false if the object had this epoch already
   * @throws Displaced if it has a higher one
   */
  async raise(object: ObjectRef, epoch: number, signal?: AbortSignal): Promise<boolean> {
    const what = `fence ${inWords(object)}`;
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await this.#read(object, signal);
      if (found === undefined) return true;
      const present = epochOf(found);
      if (present > epoch) throw displaced(object, present, epoch);
      if (present === epoch) return false;
      try {
        await this.#api.patch(object, swap(found, epoch), signal);
        return true;
      } catch (error) {
        if (!isApiError(error, "test-failed", "not-found", "conflict")) throw translated(what, error);
      }
    }
    throw new StateChanged(`could not ${what}: others changed its fence ${TRIES} times`);
  }

  async #read(object: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const found = await attempt(`read ${inWords(object)}`, this.#api.get(object, signal));
    if (found !== undefined || object.kind !== "Service" || object.name !== this.#api.names.live) return found;
    throw new UsageError(
      `there is no ${inWords(object)} in namespace '${this.#api.namespace}'; deploy the environment`,
    );
  }
}

function swap({ metadata }: KubeObject, epoch: number): Operation[] {
  const { annotations } = metadata;
  if (annotations === undefined) {
    return [
      { op: "test", path: ANNOTATIONS, value: null },
      { op: "add", path: ANNOTATIONS, value: { [EPOCH_ANNOTATION]: String(epoch) } },
    ];
  }
  return [
    { op: "test", path: EPOCH, value: annotations[EPOCH_ANNOTATION] ?? null },
    { op: "add", path: EPOCH, value: String(epoch) },
  ];
}

const displaced = (object: ObjectRef, found: number, expected: number) =>
  new Displaced(
    `${inWords(object)} is fenced with epoch ${found}, and this command has ${expected}: ` +
      "another command has taken the lease over; this one changes nothing more",
  );

export const inWords = ({ kind, name }: ObjectRef): string => `${kind} '${name}'`;
