import { parseArgs } from "node:util";
import { app } from "./app.ts";
import { cache } from "./cache.ts";
import { cluster } from "./cluster.ts";
import { gates } from "./gates.ts";
import { holds, type Measurement } from "./measurement.ts";
import { overload } from "./overload.ts";
import { rehearsal } from "./rehearsal.ts";
import { resilience } from "./resilience.ts";
import { thisMachine, writeResults } from "./results.ts";
import { server } from "./server.ts";
import { store } from "./store.ts";
import { synth } from "./synth.ts";

const BENCHES = { synth, app, resilience, cluster, cache, server, overload, store, rehearsal, gates };

const HELP = `Usage: npm run bench -- [options]

Measures what the documentation claims, each beside its bar, and writes each part to bench/results. Nothing else should run meanwhile.

  --only    one part: synth, app, resilience, cluster, cache, server, overload, store, rehearsal or gates
  --quick   the quick rehearsal instead of the full one, and fewer rounds or bakes; writes nothing
  --json    one JSON object instead of the table
  --help

Exit code 0 when every bar holds, 1 when one does not, 2 for a wrong option.
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else if (values.only !== undefined && !Object.hasOwn(BENCHES, values.only)) {
  process.stderr.write(`--only takes one of ${Object.keys(BENCHES).join(", ")}, not '${values.only}'\n`);
  process.exitCode = 2;
} else {
  const measurements: Measurement[] = [];
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (values.only !== undefined && values.only !== name) continue;
    const rows = await bench(values.quick);
    measurements.push(...rows);
    if (!values.quick) await writeResults(name, rows);
    if (!values.json) for (const row of rows) process.stdout.write(`${line(row)}\n`);
  }
  const machine = thisMachine();
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ machine, measurements })}\n`
      : `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}\n`,
  );
  process.exitCode = measurements.every(holds) ? 0 : 1;
}

function line(measurement: Measurement): string {
  const { what, value, unit, bar, allowed = "most", runs } = measurement;
  const figure = `${unit === "calls" || unit === "/s" ? Math.round(value) : value.toPrecision(3)} ${unit}`;
  const verdict =
    bar === undefined ? "" : `${allowed === "most" ? "≤" : "≥"} ${bar} ${holds(measurement) ? "holds" : "MISSED"}`;
  return `${what.padEnd(48)} ${figure.padStart(12)}   ${verdict.padEnd(16)} ${runs > 1 ? `${unit === "%" ? "" : "median "}of ${runs}` : ""}`.trimEnd();
}
