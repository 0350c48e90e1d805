import { once } from "node:events";
import type { Environment } from "../../environment/environment.ts";
import { UsageError } from "../../release/errors.ts";
import { erasOf, withClient, type Era } from "../../release/measure/client.ts";
import { smokeCall, type Smoke } from "../../release/measure/smoke-call.ts";
import { kitVariablesOf, mustHaveOwnPorts } from "../../release/targets/local/host/process-variables.ts";
import { ServerProcess } from "../../release/targets/local/host/server-process.ts";
import { Watchdog } from "../../release/targets/local/host/watchdog.ts";
import { programOf } from "../../release/targets/local/program.ts";
import type { Examined } from "./described.ts";

/** A server that cannot be rehearsed. The message says why, what it said itself, and what to do. */
export class Unfit extends UsageError {}

export interface ExamineOptions {
  /** With all protocol versions that may work. */
  readonly environment: Environment;
  /** Whether an environment of the user's declares them, so that each has to work. */
  readonly declared: boolean;
  /** Where the server's command runs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Their medians tell how fast the server is. */
const SESSIONS = 6;
const CALLS_PER_SESSION = 5;

/**
 * Starts a server alone and finds out how it answers, before anything is built on it.
 *
 * @throws Unfit; UsageError if a port of the server cannot be told to it
 */
export async function examine({ environment, declared, folder, signal }: ExamineOptions): Promise<Examined> {
  const { server, app, release } = environment;
  mustHaveOwnPorts(server);
  const watchdog = new Watchdog();
  const settings = { ...kitVariablesOf("blue", server, environment), ...app.settings };
  const program = programOf(folder, server);
  const running = new ServerProcess({ name: "server", program, server, settings, watchdog, log: () => undefined });
  try {
    await ready(running, environment, signal);
    const url = new URL(`http://127.0.0.1:${running.ports?.mcp ?? 0}${server.path}`);
    const found = await each(erasOf(server), (era) => tried(url, era, release.smoke, signal));
    const working = found.filter(({ problem }) => problem === undefined);
    const problems = found.flatMap(({ era, problem }) => (problem === undefined ? [] : [`${NAMES[era]}: ${problem}`]));
    if (working.length === 0 || (declared && problems.length > 0)) {
      throw new Unfit(
        inLines(`the server on ${url.href} does not answer as an MCP server`, problems, lastWords(running)),
      );
    }
    const sessions = working.some(({ session }) => session) ? "memory" : "none";
    if (declared && sessions === "memory" && server.sessions === "none") {
      throw new Unfit(
        "the environment says server.sessions 'none', but the server begins sessions (Mcp-Session-Id): " +
          "a second pod would answer them with 404. Turn them off (FastMCP: FASTMCP_STATELESS_HTTP=true), or say 'memory'",
      );
    }
    const eras = working.map(({ era }) => era);
    return {
      protocolVersions: server.protocolVersions.filter((version) =>
        eras.some((era) => erasOf({ protocolVersions: [version] }).includes(era)),
      ),
      sessions,
      callMs: Math.max(...working.map(({ callMs }) => callMs)),
      sessionMs: Math.max(...working.map(({ sessionMs }) => sessionMs)),
    };
  } finally {
    await running.stop();
    await watchdog.close();
  }
}

const NAMES: Readonly<Record<Era, string>> = { legacy: "MCP 2025", modern: "MCP 2026" };

async function ready(running: ServerProcess, { server }: Environment, signal: AbortSignal): Promise<void> {
  while (!running.ready) {
    if (running.trouble !== undefined) {
      throw new Unfit(inLines(`the server ${running.trouble}`, hint(running.trouble, server), lastWords(running)));
    }
    await once(running, "change", { signal });
  }
}

/** A server that runs and cannot be reached does not know its port, as a rule. */
function hint(trouble: string, { variables }: Environment["server"]): readonly string[] {
  if (!trouble.includes("was not ready")) return [];
  const given = ["PORT", ...(variables.port === undefined ? [] : [variables.port])].join(" and ");
  return [
    `it gets its port in ${given}; if it reads another variable, write it into the command as in ` +
      "--server 'FASTMCP_PORT={port} python3 server.py', or name it in server.variables.port",
  ];
}

const lastWords = ({ lastLines }: ServerProcess): readonly string[] =>
  lastLines.length === 0 ? ["it wrote nothing"] : ["its last lines:", ...lastLines.map((line) => `  ${line}`)];

const inLines = (first: string, ...more: readonly (readonly string[])[]) => [first, ...more.flat()].join("\n");

/** One after the other, so that they do not slow each other down. */
async function each<T, R>(values: readonly T[], of: (value: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await of(value));
  return results;
}

interface Tried {
  readonly era: Era;
  /** Why it cannot be used; none if it can. */
  readonly problem?: string;
  readonly session: boolean;
  readonly callMs: number;
  readonly sessionMs: number;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function tried(url: URL, era: Era, smoke: Smoke, signal: AbortSignal): Promise<Tried> {
  let session = false;
  const watched: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    session ||= response.headers.has("mcp-session-id");
    return response;
  };
  try {
    const calls: number[] = [];
    const sessions: number[] = [];
    for (let begun = 0; begun < SESSIONS; begun++) {
      const start = performance.now();
      await withClient({ url, fetch: watched }, era, signal, async (client) => {
        for (let call = 0; call < CALLS_PER_SESSION; call++) {
          const called = performance.now();
          const { wrong } = await smokeCall(client, smoke, signal);
          if (wrong !== undefined) throw new Error(wrong);
          const now = performance.now();
          if (call === 0) sessions.push(now - start);
          else calls.push(now - called);
        }
      });
    }
    return { era, session, callMs: median(calls), sessionMs: median(sessions) };
  } catch (error) {
    signal.throwIfAborted();
    const problem = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 300);
    return { era, problem, session, callMs: 0, sessionMs: 0 };
  }
}
