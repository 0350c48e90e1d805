import { once } from "node:events";
import type { Environment } from "../../environment/environment.ts";
import { erasOf, withClient, type Era } from "../../release/measure/client.ts";
import { smokeCall, type Smoke } from "../../release/measure/smoke-call.ts";
import { kitVariablesOf, mustHaveOwnPorts } from "../../release/targets/local/host/process-variables.ts";
import { ServerProcess } from "../../release/targets/local/host/server-process.ts";
import { Watchdog } from "../../release/targets/local/host/watchdog.ts";
import { programOf } from "../../release/targets/local/program.ts";
import type { Examined } from "./described.ts";

/** A server that cannot be rehearsed. The message says why, what it said itself, and what to do. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

export interface ExamineOptions {
  /** With all protocol versions that may work. */
  readonly environment: Environment;
  /** Whether an environment of the user's declares them, so that each has to work. */
  readonly declared: boolean;
  /** Where the server's command runs. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Calls whose median tells how fast the server is; the first ones are slower. */
const CALLS = 25;
const WARM_UP = 5;

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
    const found = await Promise.all(erasOf(server).map((era) => tried(url, era, release.smoke, signal)));
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
    };
  } finally {
    await running.stop();
    watchdog.close();
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

interface Tried {
  readonly era: Era;
  /** Why it cannot be used; none if it can. */
  readonly problem?: string;
  readonly session: boolean;
  readonly callMs: number;
}

async function tried(url: URL, era: Era, smoke: Smoke, signal: AbortSignal): Promise<Tried> {
  let session = false;
  const watched: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    session ||= response.headers.has("mcp-session-id");
    return response;
  };
  try {
    const times = await withClient({ url, fetch: watched }, era, signal, async (client) => {
      const times: number[] = [];
      for (let call = 0; call < CALLS; call++) {
        const start = performance.now();
        const { wrong } = await smokeCall(client, smoke, signal);
        if (wrong !== undefined) throw new Error(wrong);
        if (call >= WARM_UP) times.push(performance.now() - start);
      }
      return times.toSorted((a, b) => a - b);
    });
    return { era, session, callMs: times[Math.floor(times.length / 2)] ?? 0 };
  } catch (error) {
    signal.throwIfAborted();
    const problem = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 300);
    return { era, problem, session, callMs: 0 };
  }
}
