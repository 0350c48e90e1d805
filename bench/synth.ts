import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median, repeat, type Measurement } from "./measurement.ts";

const RUNS = 5;

/** How long every stack of one environment takes to synthesize, as a whole process. */
export async function synth(): Promise<Measurement[]> {
  const seconds = await repeat(RUNS, async () => {
    const start = performance.now();
    await promisify(execFile)(process.execPath, ["main.ts"], { env: { ...process.env, ENVIRONMENT: "production" } });
    return (performance.now() - start) / 1000;
  });
  return [{ what: "synthesize all stacks of production", value: median(seconds), unit: "s", bar: 1.5, runs: RUNS }];
}
