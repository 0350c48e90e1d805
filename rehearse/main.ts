import { mkdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { HostFailed } from "./host-process.ts";
import { htmlReport } from "./page/report.ts";
import { servePage } from "./page/server.ts";
import { Recording } from "./record/recording.ts";
import { Cancelled, rehearse } from "./rehearsal.ts";
import { narrate, printSummary } from "./terminal.ts";
import { BuildFailed } from "./versions/bundles.ts";

const HELP = `Usage: npm run rehearse -- [options]

Runs four scenarios on this machine under real MCP traffic: a good version, one that gives wrong answers, one that grows
slow under live traffic, and an outage of the weather API. Needs no cloud, no cluster, no Docker, and nothing from the network.

  --quick       shorter times and fewer calls, for CI (about half a minute instead of a minute and a half)
  --json FILE   write what was measured, as docs/rehearse.md describes it
  --no-page     serve no page while it runs
  --port PORT   where the page is served, on 127.0.0.1 (default: any free port)
  --report DIR  where the report goes (default: rehearsal-report)
  --help

Exit codes: 0 every scenario passed, 1 one did not, 2 wrong usage or something is missing, 130 interrupted.
`;

const EXIT = { ok: 0, notAsItMust: 1, usage: 2, interrupted: 130 };

/** The user ended it before its last scenario had ended. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

class UsageError extends Error {
  override readonly name = "UsageError";
}

function options() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      page: { type: "boolean", default: true },
      port: { type: "string", default: "0" },
      report: { type: "string", default: "rehearsal-report" },
      help: { type: "boolean", default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port '${values.port}' is not a port`);
  return { ...values, port };
}

async function main(): Promise<number> {
  const { quick, json, page: withPage, port, report, help } = options();
  if (help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
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
    const result = await rehearse({ quick, recording, signal: interrupted.signal });
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

/** What a user can mend is one message and a code; anything else is a fault of ours and keeps its trace. */
function explain(error: unknown): readonly [message: string, exitCode: number] | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof Interrupted) return [error.message, EXIT.interrupted];
  if (error instanceof Cancelled) return [error.message, EXIT.notAsItMust];
  if (error instanceof BuildFailed || error instanceof HostFailed || error instanceof UsageError)
    return [error.message, EXIT.usage];
  const code = "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE" && "port" in error) {
    return [`port ${String(error.port)} is in use; name another one with --port, or leave --port out`, EXIT.usage];
  }
  if (code.startsWith("ERR_PARSE_ARGS")) return [`${error.message}; see --help`, EXIT.usage];
  return undefined;
}

try {
  process.exitCode = await main();
} catch (error) {
  const [message, exitCode] = explain(error) ?? [];
  if (message === undefined) throw error;
  process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
