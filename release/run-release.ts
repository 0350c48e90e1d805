import { randomUUID } from "node:crypto";
import type { Environment } from "../environment/environment.ts";
import { Engine } from "./engine.ts";
import {
  Displaced,
  LeaseHeld,
  StateChanged,
  TargetRefused,
  TargetUnreachable,
  TrafficMoved,
  UsageError,
} from "./errors.ts";
import type { Listener, ReleaseResult } from "./events.ts";
import type { Gate } from "./gates/gate.ts";
import { GATES } from "./gates/index.ts";
import type { Clock } from "./ports/clock.ts";
import { whoAmI } from "./holder.ts";
import { systemClock } from "./system-clock.ts";
import type { Authority } from "./ports/records.ts";
import type { Target } from "./ports/target.ts";
import type { Phase } from "./record.ts";
import {
  backToVerify,
  begin,
  beginOrGoOn,
  goOn,
  rollBack,
  toBake,
  toRetire,
  type Candidate,
  type Origin,
  type Rule,
} from "./rules.ts";

/** What to do. Each command goes on from the target's state; none remembers anything. */
export type Command =
  /** All phases. Without a candidate, or with the one in progress, goes on with what is in progress. */
  | { readonly do: "run"; readonly candidate?: Candidate }
  /** Deploy a version to the idle color. */
  | { readonly do: "stage"; readonly candidate: Candidate }
  /** Run the gates on the idle color. */
  | { readonly do: "verify" }
  /** Run the gates again, because earlier results age, and move the traffic. */
  | { readonly do: "promote" }
  /** Monitor the new color under live traffic; roll back if a gate fails. */
  | { readonly do: "bake" }
  /** Remove the replica overrides of a release that has passed its bake. */
  | { readonly do: "retire" }
  /**
   * Move the traffic back to the color that was live before the release: at once until retire, later as soon as that
   * color has the capacity. Before promote, abort the release.
   */
  | {
      readonly do: "rollback";
      /** Roll back also if that color no longer runs the version from before the release. @default false */
      readonly toChangedStandby?: boolean;
    };

export interface ReleaseOptions {
  readonly target: Target;
  readonly environment: Environment;
  readonly command: Command;
  /** Take the lease from another holder, who then changes nothing more. @default false */
  readonly takeOver?: boolean;
  /** Who releases, for the people who find the lease held. @default - user, host and process id */
  readonly holder?: string;
  /** @default GATES */
  readonly gates?: readonly Gate[];
  /** @default - events are dropped */
  readonly listener?: Listener;
  /** Interrupts the release, which stays where it is. @default - nothing interrupts it */
  readonly signal?: AbortSignal;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * Carries out one release command: takes the lease, drives the release, gives the lease back.
 *
 * Outcomes that a person can act on are results, never exceptions.
 *
 * @throws whatever is a fault of the engine or of a target's implementation
 */
export async function runRelease(options: ReleaseOptions): Promise<ReleaseResult> {
  const { target, command, takeOver = false, holder = whoAmI(), clock = systemClock } = options;
  const { listener = () => undefined, signal = new AbortController().signal } = options;
  listener({ type: "target", description: target.description });

  let authority: Authority | undefined;
  try {
    const waiting = (by: string, seconds: number) => {
      const message = `the lease is held by ${by}; waiting ${Math.ceil(seconds)} s for a sign of life`;
      listener({ type: "progress", message });
    };
    authority = await target.records.acquire({ holder, takeOver, signal, waiting });
    const all = { ...options, listener, clock, authority, signal: AbortSignal.any([signal, authority.lost]) };
    return await carryOut(command, holder, { ...all, gates: options.gates ?? GATES });
  } catch (error) {
    return startFailed(error, signal);
  } finally {
    await authority?.release(AbortSignal.timeout(GIVE_BACK_MS));
  }
}

async function carryOut(
  command: Command,
  holder: string,
  options: ConstructorParameters<typeof Engine>[0],
): Promise<ReleaseResult> {
  const migrates = options.target.migrations !== undefined;
  const origin = { mark: randomUUID(), startedAt: options.clock.date().toISOString(), migrates };
  const { rule, until } = courseOf(command, origin, holder);
  const result = await new Engine(options).run(rule, until);
  if (command.do !== "rollback") return result;
  // The user asked for exactly this.
  return result.result === "rolled-back" || result.result === "aborted" ? { ...result, result: "done" } : result;
}

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export interface Course {
  /** What the command makes of the state that it finds. */
  readonly rule: Rule;
  /** The phase that it stops before. */
  readonly until: Phase;
}

/** How a command drives a release. */
export const courseOf = (command: Command, origin: Origin, holder: string): Course =>
  RULES[command.do](command as never, origin, holder);

const RULES: { [Do in Command["do"]]: (command: Of<Do>, origin: Origin, holder: string) => Course } = {
  run: ({ candidate }, origin) => ({
    rule: candidate === undefined ? goOn : beginOrGoOn(candidate, origin),
    until: "ended",
  }),
  stage: ({ candidate }, origin) => ({ rule: begin(candidate, origin), until: "verify" }),
  verify: () => ({ rule: backToVerify, until: "promote" }),
  promote: () => ({ rule: backToVerify, until: "bake" }),
  bake: () => ({ rule: toBake, until: "retire" }),
  retire: () => ({ rule: toRetire, until: "ended" }),
  rollback: ({ toChangedStandby }, _, holder) => ({ rule: rollBack(holder, toChangedStandby), until: "ended" }),
};

/** Errors from before the engine drives the release, and the user's mistakes that it finds on the way. */
function startFailed(error: unknown, signal: AbortSignal): ReleaseResult {
  if (error instanceof UsageError) return { result: "usage", reason: error.message };
  if (error instanceof LeaseHeld || error instanceof Displaced) return { result: "lease-held", reason: error.message };
  if (signal.aborted) {
    const why = signal.reason instanceof Error ? signal.reason.message : "interrupted";
    return { result: "not-started", reason: `${why} before anything was changed` };
  }
  const outOfReach = [TargetUnreachable, TargetRefused, TrafficMoved, StateChanged].some(
    (kind) => error instanceof kind,
  );
  if (outOfReach && error instanceof Error) return { result: "not-started", reason: error.message };
  throw error;
}

/** A target that does not answer must not keep a user waiting who has pressed Ctrl-C. */
const GIVE_BACK_MS = 500;
