import { mkdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Measurement } from "./measurement.ts";

const FOLDER = join(import.meta.dirname, "results");

/** Figures mean nothing without what they were measured on; nothing here says whose machine it is. */
const machine = z.strictObject({
  cpu: z.string(),
  cores: z.number().int().positive(),
  memoryGiB: z.number().int().positive(),
  platform: z.string(),
  node: z.string().startsWith("v"),
});

export type Machine = z.output<typeof machine>;

/** What `results/<part>.json` holds: one whole run of a part. */
export const resultsSchema = z.strictObject({
  measuredOn: z.iso.date(),
  machine,
  measurements: z
    .array(
      z.strictObject({
        what: z.string(),
        value: z.number(),
        unit: z.string(),
        bar: z.number().optional(),
        allowed: z.enum(["most", "least"]).optional(),
        runs: z.number().int().positive(),
      }),
    )
    .min(1),
});

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** Writes what one part measured over what it measured the last time. */
export async function writeResults(part: string, measurements: readonly Measurement[]): Promise<void> {
  const results = {
    measuredOn: new Date().toISOString().slice(0, 10),
    machine: thisMachine(),
    measurements: measurements.map((row) => ({ ...row, value: Number(row.value.toPrecision(4)) })),
  };
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${part}.json`), `${JSON.stringify(resultsSchema.parse(results), null, 2)}\n`);
}
