import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../environment/environment.ts";
import { loadEnvironment } from "../../environment/load.ts";
import { userFolder } from "../../environment/user-folder.ts";
import { UsageError } from "../../release/errors.ts";
import { wordsOf } from "../../release/targets/local/command-line.ts";
import type { PrepareOptions, Subject } from "../subject.ts";
import { ownActs, SKIPPED } from "./acts.ts";
import {
  OWN_SERVER,
  ownEnvironment,
  PROTOCOL_VERSIONS,
  type Examined,
  type Given,
  type OwnServer,
} from "./described.ts";
import { examine } from "./examine.ts";
import { ownVersions } from "./versions.ts";

/** Which server to rehearse; at least one of a command and an environment that has one. */
export interface OwnServerOptions {
  /** A command line, run in the user's folder. @default - the environment's `server.command` */
  readonly server?: string;
  /**
   * Name or path of an environment that describes the server.
   *
   * @default - nothing is known but the command
   */
  readonly environment?: string;
  /** The path of the MCP endpoint. @default "/mcp", or the environment's */
  readonly path?: string;
}

const ENVIRONMENT = fileURLToPath(new URL("../environments/own-server.ts", import.meta.url));

/**
 * Part of one core that the traffic may keep busy: clients, both colors and the rehearsal share the
 * machine.
 */
const LOAD = 0.15;
const CALLS_PER_SECOND = { least: 5, most: 60 };

/**
 * Examines somebody's own server and prepares its versions.
 *
 * @throws Unfit, UsageError, UnknownEnvironment, InvalidEnvironment
 */
export async function ownServer(options: OwnServerOptions, prepare: PrepareOptions): Promise<Subject> {
  const { quick, home, signal } = prepare;
  const folder = userFolder();
  const base = options.environment === undefined ? undefined : await loadEnvironment(options.environment);
  const given: Given = {
    command: options.server === undefined ? commandOf(base, options.environment) : wordsOf(options.server),
    ...(options.path !== undefined && { path: options.path }),
    ...(base && { environment: base }),
  };
  const unknown: Examined = {
    protocolVersions: base?.server.protocolVersions ?? PROTOCOL_VERSIONS,
    sessions: base?.server.sessions ?? "none",
    callMs: 0,
    sessionMs: 0,
  };
  const before = ownEnvironment(given, unknown, quick);
  const examined = await examine({ environment: before, declared: base !== undefined, folder, signal });
  const file = join(home, "server.json");
  const own: OwnServer = {
    command: given.command,
    ...(given.path !== undefined && { path: given.path }),
    ...(options.environment !== undefined && { environment: options.environment }),
    examined,
    quick,
  };
  await writeFile(file, JSON.stringify(own));
  process.env[OWN_SERVER] = file;
  const environment = await loadEnvironment(ENVIRONMENT);
  const callsPerSecond = rate(examined);
  return {
    file: ENVIRONMENT,
    environment,
    images: await ownVersions(environment, folder, home),
    acts: ownActs(environment),
    skipped: SKIPPED,
    notes: notes(given, examined, environment, callsPerSecond),
    callsPerSecond,
    isOwn: true,
  };
}

function commandOf(base: Environment | undefined, name = ""): readonly string[] {
  const { command, args = [] } = base?.server ?? {};
  if (command !== undefined) return [...command, ...args];
  throw new UsageError(
    `environment '${name}' has no server.command: its image names the program. Name the command with --server; ` +
      "the bundled app is rehearsed without options",
  );
}

function rate({ callMs }: Examined): number {
  const { least, most } = CALLS_PER_SECOND;
  return Math.round(Math.min(most, Math.max(least, (LOAD * 1000) / Math.max(callMs, 0.1))));
}

function notes(
  { command, environment: base }: Given,
  { protocolVersions, sessions, callMs }: Examined,
  { release }: Environment,
  callsPerSecond: number,
): readonly string[] {
  const call =
    release.smoke === undefined
      ? "tools/list, since no smoke call is described (release.smoke)"
      : `${release.smoke.tool}, the smoke call`;
  return [
    `your server: ${command.join(" ")}`,
    `it speaks MCP ${protocolVersions.join(" and ")} and takes ${callMs.toFixed(1)} ms for a call`,
    `clients call ${call}: ${callsPerSecond} calls per second, at most ${release.bake.maxP95Ms} ms each (p95)`,
    "every version is your server; the wrong and the slow one have a proxy in front of it, and images tell versions apart",
    ...(sessions === "memory" ? [SESSIONS] : []),
    ...(base?.server.connections === "maxAge"
      ? ["the route chooses a color for each request here; that connections end by age is not rehearsed"]
      : []),
  ];
}

const SESSIONS =
  "it keeps sessions in memory (Mcp-Session-Id): one process for each color, since another one would answer 404. A switch ends " +
  "every session, and its client has to begin another one. To turn sessions off: FASTMCP_STATELESS_HTTP=true for FastMCP, " +
  "sessionIdGenerator: undefined for the TypeScript SDK";
