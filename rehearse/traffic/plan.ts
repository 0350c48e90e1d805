import type { Environment } from "../../environment/environment.ts";
import { ERAS, erasOf, type Era } from "../../release/measure/client.ts";
import type { CallerKind } from "./caller.ts";
import type { CallersOptions } from "./callers.ts";
import { ASKED_FOR, pulse, smokeQuestion, weatherIn, type Question } from "./question.ts";

/** Clients of one kind, what they call, and how often. */
export interface Part extends CallerKind, Pick<CallersOptions, "least" | "most" | "line" | "isPulse" | "next"> {
  /** Arrivals per second. */
  readonly perSecond: number;
}

export interface Plan {
  readonly parts: readonly Part[];
  /** Whether one client holds a listen stream. */
  readonly listens: boolean;
}

/**
 * Clients of each kind: at most 40 calls of all four kinds are in flight, and 240 in line, about a
 * second's arrivals.
 */
const USERS = { least: 3, most: 10, line: 60 };

/** Pulse calls per second, so that a switch is timed to about 20 ms. */
const PULSES = 50;

const PULSE_CALLERS = { least: 1, most: 4, line: 25, connection: "fresh", isPulse: true } as const;

/**
 * The bundled app: weather whose right answer is known, and a pulse that costs the same in every
 * version.
 */
export function bundledPlan(callsPerSecond: number): Plan {
  const questions = ASKED_FOR.map(weatherIn);
  const anyWeather = () => questions[Math.floor(Math.random() * questions.length)] ?? pulse;
  return { ...planOf(ERAS, callsPerSecond - PULSES, PULSES, anyWeather, () => pulse), listens: true };
}

/**
 * Pulse calls over all calls to somebody's own server: the smoke call is the only one that is known
 * to do no harm.
 */
const OWN_PULSE_SHARE = 0.25;

/** Somebody's own server: its smoke call, in the protocol versions that it declares. */
export function ownPlan({ server, release }: Environment, callsPerSecond: number): Plan {
  const question = smokeQuestion(release.smoke);
  const pulses = Math.min(PULSES, OWN_PULSE_SHARE * callsPerSecond);
  const next = () => question;
  return { ...planOf(erasOf(server), callsPerSecond - pulses, pulses, next, next), listens: false };
}

function planOf(
  eras: readonly Era[],
  perSecond: number,
  pulses: number,
  next: () => Question,
  nextPulse: () => Question,
): Pick<Plan, "parts"> {
  const kinds = eras.flatMap((era) => (["kept", "fresh"] as const).map((connection) => ({ era, connection })));
  return {
    parts: [
      ...kinds.map((kind) => ({ ...USERS, ...kind, perSecond: perSecond / kinds.length, next })),
      ...eras.map((era) => ({ ...PULSE_CALLERS, era, perSecond: pulses / eras.length, next: nextPulse })),
    ],
  };
}
