import { randomUUID } from "node:crypto";
import { EPOCH_ANNOTATION, RECORD_ANNOTATION } from "../../../environment/names.ts";
import { LeaseHeld, StateChanged, TargetUnreachable, UsageError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AcquireOptions, Authority, Records } from "../../ports/records.ts";
import { releaseRecordSchema, type ReleaseRecord } from "../../record.ts";
import { ApiError } from "./api/api-error.ts";
import type { KubeApi } from "./api/kube-api.ts";
import { attempt, isApiError, translated } from "./attempt.ts";
import { epochOf, type Fences } from "./fences.ts";
import {
  HeldLease,
  historyOf,
  leaseOf,
  leaseObject,
  newSpec,
  sameVersion,
  TTL_SECONDS,
  type Lease,
} from "./held-lease.ts";

/** How often a held lease is read while waiting for a sign of life. */
const POLL_MS = 1000;

/** An interrupted command ends within a second, whatever the API does. */
const GIVE_BACK_MS = 500;

/** Attempts to take the lease while others change it. */
const TRIES = 10;

/** Attempts to take the lease while the API does not answer, or answers that it must be asked later. */
const OUTAGE_TRIES = 4;
const FIRST_BACKOFF_MS = 250;

/** A longer wait that the API asks for is for the user to decide about. */
const LONGEST_WAIT_MS = 10_000;

/**
 * The record of a release: an annotation on the Lease that guards it.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class LeaseRecords implements Records {
  readonly #api: KubeApi;
  readonly #fences: Fences;
  readonly #clock: Clock;

  constructor(api: KubeApi, fences: Fences, clock: Clock) {
    this.#api = api;
    this.#fences = fences;
    this.#clock = clock;
  }

  async read(signal?: AbortSignal): Promise<ReleaseRecord | undefined> {
    const lease = await this.#lease(signal);
    const text = lease?.metadata.annotations?.[RECORD_ANNOTATION];
    if (text === undefined) return undefined;
    try {
      return releaseRecordSchema.parse(JSON.parse(text));
    } catch {
      throw new UsageError(
        `the record on Lease '${this.#api.names.lease}' in namespace '${this.#api.namespace}' was written by another version ` +
          "of this command, or by hand; go on with that version, or delete the Lease if no release is in progress",
      );
    }
  }

  async history(signal?: AbortSignal): Promise<readonly ReleaseRecord[]> {
    const lease = await this.#lease(signal);
    return historyOf(lease?.metadata.annotations).flatMap((entry) => {
      const { success, data } = releaseRecordSchema.safeParse(entry);
      return success ? [data] : [];
    });
  }

  async holder(signal?: AbortSignal): Promise<string | undefined> {
    const { holderIdentity = "" } = (await this.#lease(signal))?.spec ?? {};
    return holderIdentity === "" ? undefined : holderIdentity;
  }

  async acquire({ holder, takeOver, signal, waiting }: AcquireOptions): Promise<Authority> {
    // A namespace without the environment gets no Lease.
    await this.#fences.highest(signal);
    const identity = `${holder} ${randomUUID().slice(0, 8)}`;
    const free = takeOver ? await this.#lease(signal) : await this.#waitUntilFree(waiting, signal);
    const lease = await this.#take(free, identity, takeOver, signal).catch(async (error: unknown) => {
      if (signal.aborted) await this.#giveBack(identity);
      throw error;
    });
    const held = new HeldLease({ api: this.#api, fences: this.#fences, clock: this.#clock, identity, lease });
    try {
      await this.#fenceAll(held, AbortSignal.any([signal, held.lost]));
    } catch (error) {
      await held.release(AbortSignal.timeout(GIVE_BACK_MS));
      throw error;
    }
    this.#fences.guard(held);
    return held;
  }

  /**
   * Another number than every fence is needed, and not only than the lease's: a lease that was deleted starts at 1. An
   * object that has the same number was fenced by another holder, or by a write of ours that got no answer.
   *
   * The lease is confirmed at the end: a later holder may have fenced an object before it was replaced and we fenced it.
   */
  async #fenceAll(held: HeldLease, signal: AbortSignal): Promise<void> {
    for (;;) {
      const highest = await this.#fences.highest(signal);
      if (highest >= held.epoch) await held.raise(highest + 1, signal);
      if (await this.#fences.raiseAll(held.epoch, signal)) break;
    }
    await held.confirm(signal);
  }

  /**
   * Waits until a held lease has not changed for its whole duration. The time is that of this process's
   * clock since it first saw this state, as in client-go: clocks of two machines are never compared.
   *
   * @returns the lease that may be taken, as it was read; undefined if there is none
   * @throws LeaseHeld as soon as it changes
   */
  async #waitUntilFree(waiting: AcquireOptions["waiting"], signal: AbortSignal): Promise<Lease | undefined> {
    const first = await this.#lease(signal);
    const holder = first?.spec?.holderIdentity;
    if (!holder) return first;
    const seconds = first.spec.leaseDurationSeconds ?? TTL_SECONDS;
    const deadline = this.#clock.now() + seconds * 1000;
    waiting(holder, seconds);
    for (;;) {
      const leftMs = deadline - this.#clock.now();
      if (leftMs > 0) await this.#clock.sleep(Math.min(POLL_MS, leftMs), signal);
      const over = this.#clock.now() >= deadline;
      const lease = await this.#lease(signal).catch((error: unknown) => {
        // Only the answer after the deadline decides.
        if (over || !(error instanceof TargetUnreachable)) throw error;
        return first;
      });
      if (!lease?.spec?.holderIdentity) return lease;
      if (signOfLife(lease) !== signOfLife(first)) throw new LeaseHeld(lease.spec.holderIdentity);
      if (over) return lease;
    }
  }

  /** Writes our name into the lease, against the version that was judged free. */
  async #take(free: Lease | undefined, identity: string, takeOver: boolean, signal: AbortSignal): Promise<Lease> {
    const what = "take the lease";
    let found = free;
    let [outages, changes] = [0, 0];
    for (;;) {
      const taken = await this.#swap(found, identity, signal).catch((error: unknown) => {
        if (isApiError(error, "conflict", "test-failed", "not-found", "unreachable")) return error;
        throw translated(what, error);
      });
      if (!(taken instanceof ApiError)) return taken;
      found = await this.#lease(signal);
      const holder = found?.spec?.holderIdentity;
      // The answer to the write was lost, and not the write.
      if (found !== undefined && holder === identity) return found;
      if (!takeOver && holder && signOfLife(found) !== signOfLife(free)) throw new LeaseHeld(holder);
      if (taken.kind === "unreachable") {
        const waitMs = taken.retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** outages * (0.5 + Math.random());
        if (++outages === OUTAGE_TRIES || waitMs > LONGEST_WAIT_MS) throw translated(what, taken);
        await this.#clock.sleep(waitMs, signal);
      } else if (++changes === TRIES) {
        throw new StateChanged(`could not ${what}: others changed Lease '${this.#api.names.lease}' ${TRIES} times`);
      }
    }
  }

  async #swap(found: Lease | undefined, identity: string, signal: AbortSignal): Promise<Lease> {
    const spec = newSpec(identity, this.#clock);
    if (found === undefined) {
      return await this.#api.create("Lease", leaseObject(this.#api.names, spec, { [EPOCH_ANNOTATION]: "1" }), signal);
    }
    const annotations = { ...found.metadata.annotations, [EPOCH_ANNOTATION]: String(epochOf(found) + 1) };
    const operations = [
      sameVersion(found.metadata),
      { op: "add", path: "/metadata/annotations", value: annotations },
      { op: "add", path: "/spec", value: spec },
    ] as const;
    return await this.#api.patch(leaseOf(this.#api.names), operations, signal);
  }

  /** A user who interrupts the command does not learn whether the lease was taken; the next command need not wait for it. */
  async #giveBack(identity: string): Promise<void> {
    const signal = AbortSignal.timeout(GIVE_BACK_MS);
    const found = await this.#lease(signal).catch(() => undefined);
    if (found?.spec?.holderIdentity !== identity) return;
    const operations = [
      sameVersion(found.metadata),
      { op: "replace", path: "/spec/holderIdentity", value: "" },
    ] as const;
    await this.#api.patch(leaseOf(this.#api.names), operations, signal).catch(() => undefined);
  }

  async #lease(signal?: AbortSignal): Promise<Lease | undefined> {
    return await attempt("read the release lease", this.#api.get<Lease>(leaseOf(this.#api.names), signal));
  }
}

/** What a holder changes when it renews. Metadata is not part of it: others may annotate the Lease. */
const signOfLife = (lease: Lease | undefined): string => JSON.stringify([lease?.metadata.uid, lease?.spec]);
