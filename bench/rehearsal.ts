import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RehearsalResult } from "../rehearse/record/result.ts";
import type { Measurement } from "./measurement.ts";

/** One whole rehearsal: how long it takes, how many calls it makes, and how long old answers linger after a switch. */
export async function rehearsal(quick: boolean): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), "rehearsal-"));
  try {
    const file = join(folder, "result.json");
    const flags = ["--no-page", "--json", file, ...(quick ? ["--quick"] : [])];
    await promisify(execFile)(process.execPath, ["cli/bin.ts", "rehearse", ...flags], { maxBuffer: 64 * 1024 * 1024 });
    const result = JSON.parse(await readFile(file, "utf8")) as RehearsalResult;
    const lingering = (kind: "promote" | "rollback") =>
      Math.max(
        ...result.acts.flatMap(({ switches }) =>
          switches.filter((one) => one.kind === kind).map(({ lastOldAnswerMs }) => lastOldAnswerMs),
        ),
      );
    const failed = result.acts.slice(0, 3).reduce((sum, { failures }) => sum + count(failures), 0);
    const name = quick ? "quick rehearsal" : "rehearsal";
    return [
      { what: name, value: result.seconds, unit: "s", bar: quick ? 45 : 120, runs: 1 },
      ...(quick
        ? []
        : [
            {
              what: `${name}: calls`,
              value: result.totals.calls,
              unit: "calls",
              bar: 20_000,
              allowed: "least",
              runs: 1,
            } as const,
          ]),
      { what: `${name}: failed calls in acts 1 to 3`, value: failed, unit: "calls", bar: 0, runs: 1 },
      { what: `${name}: promote to the last old answer`, value: lingering("promote"), unit: "ms", bar: 100, runs: 1 },
      { what: `${name}: rollback to the last old answer`, value: lingering("rollback"), unit: "ms", bar: 100, runs: 1 },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const count = (failures: Readonly<Partial<Record<string, number>>>) =>
  Object.values(failures).reduce<number>((sum, one) => sum + (one ?? 0), 0);
