import type { Environment } from "../environment/environment.ts";
import { COLORS, type Color } from "../environment/color.ts";
import { UsageError } from "./errors.ts";
import type { Capacity, ColorState, Pod } from "./ports/capacity.ts";
import type { Clock } from "./ports/clock.ts";
import { systemClock } from "./system-clock.ts";

export interface WaitOptions {
  readonly capacity: Capacity;
  readonly environment: Pick<Environment, "name">;
  readonly timeoutSeconds: number;
  /** Hears how many pods are ready, whenever that changes. @default nothing */
  readonly progress?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Pods whose events and logs are shown, of each color. The others most probably hang for the same reason. */
const SHOWN_PODS = 2;

/**
 * Waits until both colors have all their pods ready. A color without a Deployment, or with 0 pods, has nothing to wait for.
 *
 * @returns none if they are ready; otherwise the color and pod that hang, with their problems, events and last log lines
 * @throws UsageError if no color is deployed
 * @throws TargetUnreachable, TargetRefused, the signal's reason
 */
export async function waitUntilReady(options: WaitOptions): Promise<string | undefined> {
  const { capacity, environment, timeoutSeconds, progress, signal, clock = systemClock } = options;
  const start = clock.now();
  for (let before = ""; ;) {
    const states = await Promise.all(
      COLORS.map(async (color) => [color, await capacity.color(color, signal)] as const),
    );
    const deployed = states.filter(([, { image }]) => image !== undefined);
    if (deployed.length === 0) {
      throw new UsageError(`no color of environment '${environment.name}' is deployed here: deploy it first`);
    }
    const hanging = deployed.filter(([, state]) => readyOf(state) < neededOf(state) || state.rollingOut === true);
    if (hanging.length === 0) return undefined;
    const counts = deployed.map(inNumbers).join(", ");
    if (counts !== before) progress?.(counts);
    before = counts;
    const seconds = Math.round((clock.now() - start) / 1000);
    const isHopeless = hanging.some(([, { problems = [] }]) => problems.some(({ final }) => final));
    if (isHopeless || seconds >= timeoutSeconds) return await describe(hanging, seconds, capacity, signal);
    await clock.sleep(capacity.checkEveryMs, signal);
  }
}

/** The autoscaler brings a new color to its minimum; it leaves one at 0 pods alone. */
const neededOf = ({ desired, minimum }: ColorState): number => (desired === 0 ? 0 : Math.max(desired, minimum));

const readyOf = ({ pods }: ColorState): number => pods.filter(({ ready, current }) => ready && current).length;

const inNumbers = ([color, state]: readonly [Color, ColorState]): string =>
  `${color}: ${readyOf(state)} of ${neededOf(state)} pods ready`;

async function describe(
  hanging: readonly (readonly [Color, ColorState])[],
  seconds: number,
  capacity: Capacity,
  signal: AbortSignal | undefined,
): Promise<string> {
  const parts = hanging.map(async ([color, state]) => {
    const { problems = [], pods } = state;
    const kept = pods.filter(({ ready, current }) => current && !ready).slice(0, SHOWN_PODS);
    const reports = await Promise.all(kept.map((pod) => report(pod, capacity, signal)));
    return [
      `${inNumbers([color, state])} after ${seconds} s`,
      ...problems.map(({ what }) => `  ${what}`),
      ...reports.flat(),
    ];
  });
  return (await Promise.all(parts)).flat().join("\n");
}

async function report({ name }: Pod, capacity: Capacity, signal: AbortSignal | undefined): Promise<string[]> {
  const found = await capacity.explain?.(name, signal);
  if (found === undefined) return [];
  const { events, container, log } = found;
  return [
    `  pod ${name}:`,
    ...events.map((event) => `    event  ${event}`),
    ...log.map((line) => `    log of '${container}'  ${line}`),
  ];
}
