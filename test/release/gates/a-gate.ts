import { ask } from "../../../release/gates/ask.ts";
import type { Check, Gate, GateContext } from "../../../release/gates/gate.ts";
import type { Pod } from "../../../release/ports/capacity.ts";
import type { Endpoint, PodHealth, PodVersion } from "../../../release/ports/probe.ts";
import { observe, type Snapshot } from "../../../release/snapshot.ts";
import { instantClock } from "../instant-clock.ts";
import environment from "../local/fixtures/environment.ts";
import { MemoryTarget } from "../memory-target.ts";

/** A target whose pods report what the test sets. */
export class Telling extends MemoryTarget {
  reports: readonly (PodHealth & PodVersion)[] = [];
  unread: readonly string[] = [];
  port = 1;
  fault: Error | undefined;

  override async health() {
    this.#reach();
    return await Promise.resolve({ pods: this.reports, unread: this.unread });
  }

  override async versions() {
    return await this.health();
  }

  override async endpoint(): Promise<Endpoint> {
    this.#reach();
    return await Promise.resolve({ url: new URL(`http://127.0.0.1:${this.port}/mcp`), fetch, pods: 1, close });
  }

  #reach() {
    if (this.fault !== undefined) throw this.fault;
  }
}

export const never = new AbortController().signal;
export const close = () => Promise.resolve();

export async function verdict(gate: Gate, target: Telling, given: Partial<GateContext> = {}, check: Check = gate) {
  const snapshot = given.snapshot ?? (await observe(target));
  const context = {
    target,
    environment,
    snapshot,
    color: "green",
    version: "2.0.0",
    needed: 2,
    signal: never,
    clock: instantClock(),
    listener: () => undefined,
    ...given,
  } as const;
  return await ask(gate, "verify", context, check);
}

export function snapshotOf(
  green: readonly Partial<Pod>[],
  blue: readonly Partial<Pod>[] = [{}],
  desired = green.length,
) {
  const pods = (given: readonly Partial<Pod>[]) =>
    given.map((pod, index) => ({ name: `pod-${index}`, ready: true, restarts: 0, current: true, ...pod }));
  const snapshot: Snapshot = {
    live: "blue",
    colors: {
      blue: { image: "one", minimum: 1, desired: blue.length, pods: pods(blue) },
      green: { image: "two", minimum: 1, desired, pods: pods(green) },
    },
  };
  return { snapshot };
}

export const says = (status: PodHealth["status"], given: Partial<PodVersion> = {}): PodHealth & PodVersion => ({
  pod: `pod-${status}`,
  status,
  version: "2.0.0",
  color: "green",
  ...given,
});
