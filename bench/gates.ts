import { EnoughCalls } from "../release/statistics/enough-calls.ts";
import { bake, FAILED_LIMIT, type RolledBack, type Stretch } from "./gates/bakes.ts";
import { bakeWithOutages, fixedWindowWithOutages, type OutageBake } from "./gates/outages.ts";
import { binomial, uniform } from "./gates/random.ts";
import { median, type Measurement } from "./measurement.ts";

const SEED = 20_261;
const CALLS = 20_000;
const PER_CHECK = 20;

/** A version whose true share of failed calls is a multiple of the limit, and whose latency is good. */
const failing = (failed: number, calls = CALLS): Stretch => ({ calls, failed, slow: 0.5 });

const GOOD = 0.5;
const HALF_FAIL = 0.5 / FAILED_LIMIT;

/**
 * How often the bake's statistics decide wrongly, and after how many calls they decide: simulated with the engine's
 * modules, and in the lines below each with the fixed-window rule of Argo Rollouts users on the same calls. The limit is
 * 0.5 % failed and 5 % slow calls. A bake has 20,000 calls and is checked after every 20.
 */
export function gates(quick: boolean): Promise<Measurement[]> {
  const bakes = quick ? 500 : 10_000;
  process.stderr.write(`seed ${SEED}, ${bakes} bakes each\n`);
  return Promise.resolve([...falseAlarms(bakes), ...detections(bakes), ...enough(bakes), ...outages(bakes)]);
}

function falseAlarms(bakes: number): Measurement[] {
  const rows = (what: string, share: number, bar: number) =>
    compare(what, simulate(bakes, [{ calls: CALLS, failed: share, slow: share }]), (after) => ({
      value: percent(after.filter((calls) => calls < Infinity).length, bakes),
      unit: "%",
      bar,
      runs: bakes,
    }));
  return [...rows("rolled back at both limits", 1, 1), ...rows("rolled back at half of both limits", 0.5, 0.1)];
}

function detections(bakes: number): Measurement[] {
  const rows = (what: string, stretches: readonly Stretch[], bar?: number, perCheck = PER_CHECK) => {
    const good = stretches.slice(0, -1).reduce((sum, { calls }) => sum + calls, 0);
    return compare(what, simulate(bakes, stretches, perCheck), (after) => ({
      // A bake that is rolled back while the version is good is no detection.
      value: median(after.filter((calls) => calls > good)) - good,
      unit: "calls",
      ...(bar !== undefined && { bar }),
      runs: bakes,
    }));
  };
  return [
    ...rows("failed calls at 3 × the limit, detected", [failing(3)], 1200),
    ...rows("failed calls at 10 ×", [failing(10)], 150),
    ...rows("half of the calls fail", [failing(HALF_FAIL)], 20),
    ...rows("half of the calls fail, checked after each", [failing(HALF_FAIL)], 10, 1),
    ...rows("3 × after 10,000 good calls", [failing(GOOD, 10_000), failing(3)], 2500),
    ...rows("10 × after 10,000 good calls", [failing(GOOD, 10_000), failing(10)], 300),
    ...rows("slow calls at 3 ×", [{ calls: CALLS, failed: GOOD, slow: 3 }]),
  ];
}

/** After this many calls, no more versions at 3 times the limit get enough: their evidence only falls. */
const CALLS_TO_GET_ENOUGH = 5000;

/** The bound of 1 % is nearly reached, so a simulation may be over it by chance: three standard errors. */
const aboutOnePercent = (bakes: number) => Number((1 + 300 * Math.sqrt((0.01 * 0.99) / bakes)).toFixed(1));

/** The calls that rule out 3 times the limit, and how often a version at 3 times the limit gets them. */
function enough(bakes: number): Measurement[] {
  const calls = new EnoughCalls({ limit: FAILED_LIMIT, detect: 3 });
  const { none, half, atLimit } = calls.callsNeeded();
  const draw = binomial(PER_CHECK, calls.intolerable, uniform(SEED));
  let wrong = 0;
  for (let run = 0; run < bakes; run++) {
    let bad = 0;
    for (let made = PER_CHECK; made <= CALLS_TO_GET_ENOUGH; made += PER_CHECK) {
      bad += draw(PER_CHECK);
      if (!calls.areEnough({ calls: made, bad })) continue;
      wrong += 1;
      break;
    }
  }
  return [
    { what: "enough calls, if none fails", value: none, unit: "calls", bar: 360, runs: 1 },
    { what: "enough calls at half of the limit", value: half, unit: "calls", bar: 560, runs: 1 },
    { what: "enough calls at the limit", value: atLimit, unit: "calls", bar: 1000, runs: 1 },
    {
      what: "enough calls although at 3 ×",
      value: percent(wrong, bakes),
      unit: "%",
      bar: aboutOnePercent(bakes),
      runs: bakes,
    },
  ];
}

/** Outages of 5 s every 3 minutes that both colors share, in bakes of 15 minutes at 14 calls per second. */
function outages(bakes: number): Measurement[] {
  const rolledBack = (what: string, options: OutageBake, bar?: number, simulated = bakeWithOutages): Measurement => {
    const random = uniform(SEED);
    const seconds = Array.from({ length: bakes }, () => simulated(options, random));
    const value = percent(seconds.filter((at) => at !== undefined).length, bakes);
    return { what, value, unit: "%", ...(bar !== undefined && { bar }), runs: bakes };
  };
  const random = uniform(SEED);
  const alone = Array.from(
    { length: bakes },
    () => bakeWithOutages({ inOutage: 0, alone: 0.5, control: 2 }, random) ?? Infinity,
  ).sort((one, other) => one - other);
  return [
    rolledBack("good, shared outages, without control", { inOutage: 1, control: 0 }),
    rolledBack("  fixed window", { inOutage: 1, control: 0 }, undefined, fixedWindowWithOutages),
    rolledBack("good, shared outages, control 2/s", { inOutage: 1, control: 2 }, 2),
    rolledBack("  at 1 live call/s", { inOutage: 1, control: 2, rate: 1 }),
    rolledBack("good, outages of half of the calls, 2/s", { inOutage: 0.5, control: 2 }),
    rolledBack("good, outages of half of the calls, 5/s", { inOutage: 0.5, control: 5 }),
    rolledBack("good, outages of a tenth of the calls, 2/s", { inOutage: 0.1, control: 2 }),
    {
      what: "half of the calls fail alone: rolled back, p99",
      value: alone[Math.ceil(0.99 * bakes) - 1] ?? NaN,
      unit: "s",
      bar: 6,
      runs: 1,
    },
  ];
}

function simulate(bakes: number, stretches: readonly Stretch[], perCheck = PER_CHECK): RolledBack[] {
  const random = uniform(SEED);
  return Array.from({ length: bakes }, () => bake(stretches, perCheck, random));
}

/** A row for the engine's rule, and one for the fixed window, which is held to no bar. */
function compare(
  what: string,
  bakes: readonly RolledBack[],
  measure: (after: readonly number[]) => Omit<Measurement, "what">,
): Measurement[] {
  const ours = measure(bakes.map(({ sequential }) => sequential ?? Infinity));
  const { value, unit, runs } = measure(bakes.map(({ fixedWindow }) => fixedWindow ?? Infinity));
  return [
    { what, ...ours },
    { what: "  fixed window", value, unit, runs },
  ];
}

const percent = (part: number, whole: number) => (100 * part) / whole;
