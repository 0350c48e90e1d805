import { app } from "./app.ts";
import { cache } from "./cache.ts";
import { cluster } from "./cluster.ts";
import { gates } from "./gates.ts";
import { holds, type Measurement } from "./measurement.ts";
import { PARTS, type Part } from "./parts.ts";
import { overload } from "./overload.ts";
import { rehearsal } from "./rehearsal.ts";
import { resilience } from "./resilience.ts";
import { thisMachine, writeResults } from "./results.ts";
import { server } from "./server.ts";
import { store } from "./store.ts";
import { synth } from "./synth.ts";

const BENCHES: Readonly<Record<Part, (quick: boolean) => Promise<readonly Measurement[]>>> = {
  synth,
  app,
  resilience,
  cluster,
  cache,
  server,
  overload,
  store,
  rehearsal,
  gates,
};

export interface BenchOptions {
  /** The one part to run. @default - all of them */
  readonly only?: Part;
  /** Fewer rounds, and no results are written. */
  readonly quick: boolean;
  /** Print one JSON object and not a table. */
  readonly json: boolean;
}

/**
 * Measures, prints, and writes each part to bench/results.
 *
 * @returns whether every bar holds
 */
export async function runBenches({ only, quick, json }: BenchOptions): Promise<boolean> {
  const measurements: Measurement[] = [];
  for (const name of PARTS) {
    if (only !== undefined && only !== name) continue;
    const rows = await BENCHES[name](quick);
    measurements.push(...rows);
    if (!quick) await writeResults(name, rows);
    if (!json) for (const row of rows) process.stdout.write(`${line(row)}\n`);
  }
  const machine = thisMachine();
  process.stdout.write(
    json
      ? `${JSON.stringify({ machine, measurements })}\n`
      : `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}\n`,
  );
  return measurements.every(holds);
}

function line(measurement: Measurement): string {
  const { what, value, unit, bar, allowed = "most", runs } = measurement;
  const figure = `${unit === "calls" || unit === "/s" ? Math.round(value) : value.toPrecision(3)} ${unit}`;
  const verdict =
    bar === undefined ? "" : `${allowed === "most" ? "≤" : "≥"} ${bar} ${holds(measurement) ? "holds" : "MISSED"}`;
  return `${what.padEnd(48)} ${figure.padStart(12)}   ${verdict.padEnd(16)} ${runs > 1 ? `${unit === "%" ? "" : "median "}of ${runs}` : ""}`.trimEnd();
}
