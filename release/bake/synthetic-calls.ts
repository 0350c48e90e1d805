import type { Color } from "../../environment/color.ts";
import { TargetRefused, TargetUnreachable } from "../errors.ts";
import { callTool, type ToolCall } from "../measure/call-tool.ts";
import type { Era } from "../measure/client.ts";
import { Reach } from "../measure/reach.ts";
import type { Smoke } from "../measure/smoke-call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Target } from "../ports/target.ts";

export interface SyntheticCall extends ToolCall {
  /** Milliseconds of the release's clock. */
  readonly since: number;
  readonly until: number;
}

export interface SyntheticOptions {
  readonly target: Target;
  readonly color: Color;
  readonly smoke: Smoke;
  /** At least one; the calls take them in turn. */
  readonly eras: readonly Era[];
  readonly callsPerSecond: number;
  readonly clock: Clock;
  /** Ends the calls. */
  readonly signal: AbortSignal;
}

/** A color that hangs gets no more calls than this at a time. */
const MOST_AT_A_TIME = 20;

/** Pods come and go; the way to them is asked for again as often. */
const WAY_MS = 10_000;

const GRACE_MS = 10_000;

/**
 * Calls the smoke tool of a color all the time, each call in a client session of its own, so that no call depends on a
 * connection to a pod that is gone by now.
 *
 * A call that could not be made, because the way to the color is broken, is no call: it says nothing about the version.
 */
export class SyntheticCalls {
  callsPerSecond: number;
  readonly #options: SyntheticOptions;
  readonly #done: SyntheticCall[] = [];
  #underWay = 0;
  #made = 0;
  #way: { readonly at: number; readonly opened: Promise<Reach> } | undefined;
  #fault: string | undefined;

  constructor(options: SyntheticOptions) {
    this.#options = options;
    this.callsPerSecond = options.callsPerSecond;
    // It only ends with the signal.
    this.#callOnAndOn().catch(() => undefined);
  }

  /** Why the last call could not be made; none if it was. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The calls that ended since the last take. */
  take(): readonly SyntheticCall[] {
    return this.#done.splice(0);
  }

  async #callOnAndOn(): Promise<void> {
    const { clock, signal } = this.#options;
    for (;;) {
      await clock.sleep(1000 / this.callsPerSecond, signal);
      if (this.#underWay < MOST_AT_A_TIME) void this.#call();
    }
  }

  async #call(): Promise<void> {
    const { smoke, eras, clock, signal } = this.#options;
    const era = eras[this.#made++ % eras.length] ?? "legacy";
    this.#underWay += 1;
    const since = clock.now();
    try {
      const call = await callTool(await this.#reach(), smoke, era, signal);
      this.#done.push({ ...call, since, until: clock.now() });
      this.#fault = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.#leave();
      const expected = error instanceof TargetUnreachable || error instanceof TargetRefused;
      this.#fault = expected ? error.message : `a call could not be made: ${String(error)}`;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #reach(): Promise<Reach> {
    const { target, color, clock, signal } = this.#options;
    const now = clock.now();
    if (this.#way !== undefined && now - this.#way.at > WAY_MS) this.#leave();
    const open = async () => new Reach(await target.probe.endpoint(color, signal), target.traffic);
    this.#way ??= { at: now, opened: open() };
    return await this.#way.opened;
  }

  /** Calls that are under way on it have time to end. */
  #leave(): void {
    const { clock, signal } = this.#options;
    const way = this.#way;
    this.#way = undefined;
    const close = async () => {
      const { endpoint } = (await way?.opened) ?? {};
      await clock.sleep(GRACE_MS, signal).catch(() => undefined);
      await endpoint?.close();
    };
    void close().catch(() => undefined);
  }
}
