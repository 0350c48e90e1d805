import { EPOCH_ANNOTATION, HISTORY_ANNOTATION, RECORD_ANNOTATION, type Names } from "../../../environment/names.ts";
import { Displaced, StateChanged, TargetUnreachable } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Authority } from "../../ports/records.ts";
import type { ReleaseRecord } from "../../record.ts";
import { ApiError } from "./api/api-error.ts";
import { pointer, type KubeApi, type KubeObject, type Operation } from "./api/kube-api.ts";
import { isApiError, translated } from "./attempt.ts";
import { EPOCH, epochOf, type Fences } from "./fences.ts";

export const TTL_SECONDS = 15;

/** A renewal that got no answer is sent again after about this long. */
const RETRY_MS = 1000;

/** Two attempts without an answer still leave time for a third one before the lease expires. */
const RENEWAL_MS = 4000;

/** Attempts of a write while others change the Lease. */
const TRIES = 5;

const HISTORY_LENGTH = 20;

/** Characters: the annotations of an object may have 256 KiB together. */
const MAX_REASON = 1000;

export const leaseOf = ({ lease }: Names) => ({ kind: "Lease", name: lease }) as const;

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
}

interface HeldLeaseOptions {
  readonly api: KubeApi;
  readonly fences: Fences;
  readonly clock: Clock;
  readonly identity: string;
  /** As it was written when it was taken. */
  readonly lease: Lease;
}

type Annotations = Readonly<Record<string, string>>;

/**
 * A Lease that carries our name, and the record that it guards. Renews itself until it is released or lost.
 *
 * Every write tests the name and the epoch. Only another name loses the lease: a write that could not be sent does not, and
 * a Lease that was deleted is created again.
 */
export class HeldLease implements Authority {
  readonly #api: KubeApi;
  readonly #fences: Fences;
  readonly #clock: Clock;
  readonly #identity: string;
  readonly #lost = new AbortController();
  readonly #done = new AbortController();
  #annotations: Annotations;

  constructor({ api, fences, clock, identity, lease }: HeldLeaseOptions) {
    this.#api = api;
    this.#fences = fences;
    this.#clock = clock;
    this.#identity = identity;
    this.#annotations = ours(lease);
    // Ends by the signal alone.
    void this.#keepRenewed().catch(() => undefined);
  }

  get epoch(): number {
    return Number(this.#annotations[EPOCH_ANNOTATION]);
  }

  get fence(): Fence {
    return { epoch: this.epoch };
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async write(release: ReleaseRecord, signal?: AbortSignal): Promise<void> {
    const record = { ...release, reason: release.reason?.slice(0, MAX_REASON) };
    const history: Annotations = record.phase === "ended" ? { [HISTORY_ANNOTATION]: this.#historyWith(record) } : {};
    await this.#annotate("write the record", { [RECORD_ANNOTATION]: JSON.stringify(record), ...history }, signal);
  }

  /** @throws Displaced, TargetUnreachable, TargetRefused, StateChanged */
  async confirm(signal?: AbortSignal): Promise<void> {
    const renewTime = microTime(this.#clock.date());
    await this.#change("renew the lease", [{ op: "add", path: "/spec/renewTime", value: renewTime }], signal);
  }

  /** Sets a higher epoch, because an object was found fenced with the present one. */
  async raise(epoch: number, signal?: AbortSignal): Promise<void> {
    const operations = [{ op: "replace", path: EPOCH, value: String(epoch) }] as const;
    await this.#change("raise the epoch of the lease", operations, signal);
    this.#annotations = { ...this.#annotations, [EPOCH_ANNOTATION]: String(epoch) };
  }

  async release(signal?: AbortSignal): Promise<void> {
    this.#done.abort();
    if (this.#lost.signal.aborted) return;
    const operations = [...this.#tests(), { op: "replace", path: "/spec/holderIdentity", value: "" }] as const;
    // It expires by itself if this does not arrive.
    await this.#api.patch(leaseOf(this.#api.names), operations, signal).catch(() => undefined);
  }

  async #keepRenewed(): Promise<void> {
    const { signal } = this.#done;
    let pauseMs = (TTL_SECONDS * 1000) / 3;
    for (;;) {
      await this.#clock.sleep(pauseMs, signal);
      try {
        await this.#confirmInTime(signal);
        pauseMs = (TTL_SECONDS * 1000) / 3;
      } catch (error) {
        if (this.#lost.signal.aborted) return;
        pauseMs = pauseAfter(error);
      }
    }
  }

  async #confirmInTime(signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    const answered = new AbortController();
    const giveUp = () => {
      late.abort(new TargetUnreachable(`could not renew the lease: no answer within ${RENEWAL_MS / 1000} s`));
    };
    this.#clock.sleep(RENEWAL_MS, answered.signal).then(giveUp, () => undefined);
    try {
      await this.confirm(AbortSignal.any([signal, late.signal]));
    } finally {
      answered.abort();
    }
  }

  async #annotate(what: string, changes: Annotations, signal?: AbortSignal): Promise<void> {
    // From now on also a Lease that has to be created again carries it.
    this.#annotations = { ...this.#annotations, ...changes };
    const operations = Object.entries(changes).map(([name, value]): Operation => ({
      op: "add",
      path: `/metadata/annotations/${pointer(name)}`,
      value,
    }));
    await this.#change(what, operations, signal);
  }

  async #change(what: string, operations: readonly Operation[], signal?: AbortSignal): Promise<void> {
    this.#lost.signal.throwIfAborted();
    try {
      for (let tries = 0; tries < TRIES; tries++) {
        if (await this.#tryChange(operations, signal)) return;
      }
      throw new StateChanged(`could not ${what}: others changed Lease '${this.#api.names.lease}' ${TRIES} times`);
    } catch (error) {
      if (error instanceof Displaced) this.#lost.abort(error);
      throw translated(what, error);
    }
  }

  /** @returns false if the Lease was not as expected; it is now, or others are changing it */
  async #tryChange(operations: readonly Operation[], signal?: AbortSignal): Promise<boolean> {
    try {
      await this.#api.patch(leaseOf(this.#api.names), [...this.#tests(), ...operations], signal);
      return true;
    } catch (error) {
      if (!isApiError(error, "test-failed", "not-found", "conflict")) throw error;
    }
    const found = await this.#api.get<Lease>(leaseOf(this.#api.names), signal);
    if (found !== undefined && found.spec?.holderIdentity !== this.#identity) throw takenBy(found);
    try {
      await (found === undefined ? this.#createAgain(signal) : this.#restore(found, signal));
    } catch (error) {
      if (!isApiError(error, "test-failed", "not-found", "conflict")) throw error;
    }
    return false;
  }

  #tests(): Operation[] {
    return [
      { op: "test", path: "/spec/holderIdentity", value: this.#identity },
      { op: "test", path: EPOCH, value: String(this.epoch) },
    ];
  }

  async #createAgain(signal?: AbortSignal): Promise<void> {
    const highest = await this.#fences.highest(signal);
    // Otherwise a displaced holder would take a deleted lease away from the holder after it.
    if (highest > this.epoch) throw new Displaced(`the objects of the release are fenced with epoch ${highest}`);
    await this.#api.create("Lease", leaseObject(this.#api.names, this.#spec(), this.#annotations), signal);
  }

  /** The Lease is ours but its annotations are not: somebody removed or edited them. */
  async #restore({ metadata }: Lease, signal?: AbortSignal): Promise<void> {
    const annotations = { ...metadata.annotations, ...this.#annotations };
    const operations = [
      sameVersion(metadata),
      { op: "add", path: "/metadata/annotations", value: annotations },
    ] as const;
    await this.#api.patch(leaseOf(this.#api.names), operations, signal);
  }

  #spec(): LeaseSpec {
    return newSpec(this.#identity, this.#clock);
  }

  /** A release that ends again, because it was rolled back later, has one entry. */
  #historyWith(record: ReleaseRecord): string {
    const earlier = historyOf(this.#annotations).filter((entry) => startOf(entry) !== record.startedAt);
    return JSON.stringify([record, ...earlier].slice(0, HISTORY_LENGTH));
  }
}

/** As long as the server asks for, and with jitter otherwise, so that many clients do not come back together. */
function pauseAfter(error: unknown): number {
  const cause = error instanceof Error ? error.cause : undefined;
  const { retryAfterMs } = cause instanceof ApiError ? cause : {};
  return Math.min(TTL_SECONDS * 1000, retryAfterMs ?? RETRY_MS * (0.5 + Math.random()));
}

/** The entries of a history, unchecked; none where somebody else wrote something there. */
export function historyOf(annotations: Annotations | undefined): readonly unknown[] {
  try {
    const history: unknown = JSON.parse(annotations?.[HISTORY_ANNOTATION] ?? "[]");
    return Array.isArray(history) ? history : [];
  } catch {
    return [];
  }
}

const startOf = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null && "startedAt" in entry ? entry.startedAt : undefined;

export const newSpec = (holderIdentity: string, clock: Clock): LeaseSpec => {
  const now = microTime(clock.date());
  return { holderIdentity, leaseDurationSeconds: TTL_SECONDS, acquireTime: now, renewTime: now };
};

export const leaseObject = ({ lease }: Names, spec: LeaseSpec, annotations: Annotations) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: lease, annotations },
  spec,
});

/** Makes the API server refuse a patch of another version than the one that was read, with a conflict. */
export const sameVersion = ({ resourceVersion }: KubeObject["metadata"]): Operation => ({
  op: "replace",
  path: "/metadata/resourceVersion",
  value: resourceVersion,
});

function ours({ metadata, ...lease }: Lease): Annotations {
  const names = [RECORD_ANNOTATION, HISTORY_ANNOTATION];
  const kept = Object.entries(metadata.annotations ?? {}).filter(([name]) => names.includes(name));
  return { ...Object.fromEntries(kept), [EPOCH_ANNOTATION]: String(epochOf({ metadata, ...lease })) };
}

function takenBy({ spec }: Lease): Displaced {
  const { holderIdentity = "" } = spec ?? {};
  const by = holderIdentity === "" ? "a command that has ended since" : holderIdentity;
  return new Displaced(`the lease was taken over by ${by}; this command changes nothing more`);
}

/** Kubernetes' MicroTime: RFC 3339 with exactly six digits. */
const microTime = (time: Date) => time.toISOString().replace("Z", "000Z");
