import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../release/errors.ts";
import { HostFailed } from "./host-process.ts";
import { htmlReport } from "./page/report.ts";
import { servePage } from "./page/server.ts";
import { Recording } from "./record/recording.ts";
import { Cancelled, rehearse } from "./rehearsal.ts";
import type { OwnServerOptions } from "./server/own-server.ts";
import { narrate, printSummary } from "./terminal.ts";
import { BuildFailed } from "./versions/bundles.ts";

/** Exit codes of a rehearsal that ran, or was interrupted. */
const EXIT = { ok: 0, notAsItMust: 1, interrupted: 130 };

/** The user ended it before its last scenario had ended. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

export interface RehearseOptions {
  readonly quick: boolean;
  /** The server to rehearse. @default - the bundled app */
  readonly own?: OwnServerOptions;
  /** File for what was measured. @default - none is written */
  readonly json?: string;
  /** Serve a page while it runs. */
  readonly page: boolean;
  /** Port of the page on 127.0.0.1; 0 for any free one. */
  readonly port: number;
  /** Folder of the report. @default - rehearsal-report in the working directory */
  readonly report?: string;
}

/**
 * Runs the rehearsal and prints what happens.
 *
 * @returns the exit code
 * @throws UsageError if something is missing on this machine
 */
export async function runRehearsal(options: RehearseOptions): Promise<number> {
  try {
    return await run(options);
  } catch (error) {
    if (error instanceof Interrupted || error instanceof Cancelled) {
      process.stderr.write(`${error.message}\n`);
      return error instanceof Interrupted ? EXIT.interrupted : EXIT.notAsItMust;
    }
    if (error instanceof BuildFailed || error instanceof HostFailed)
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

async function run({
  quick,
  own,
  json,
  page: withPage,
  port,
  report = "rehearsal-report",
}: RehearseOptions): Promise<number> {
  const recording = new Recording();
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted.abort(new Interrupted(`interrupted by ${signal}; everything it started has ended`));
    });
  }
  const page = withPage ? await servePage(recording, port) : undefined;
  if (page !== undefined) process.stdout.write(`Watch it on ${page.url}\n`);
  narrate(recording);
  try {
    const result = await rehearse({ quick, ...(own && { own }), recording, signal: interrupted.signal });
    printSummary(result);
    await mkdir(report, { recursive: true });
    const file = resolve(report, "index.html");
    await writeFile(file, await htmlReport(result, recording.moments));
    if (json !== undefined) await writeFile(json, `${JSON.stringify(result, undefined, 2)}\n`);
    process.stdout.write(`Report: ${file}\n`);
    return result.ok ? EXIT.ok : EXIT.notAsItMust;
  } finally {
    await page?.close();
  }
}
