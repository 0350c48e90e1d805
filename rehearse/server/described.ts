import { environment, type Environment, type EnvironmentInput } from "../../environment/environment.ts";
import { portsToldIn } from "../../environment/ports-in-command.ts";
import type { Server } from "../../environment/schema/server.ts";

/**
 * What is known of a server before it is started: its description in an environment, or its command
 * alone.
 */
export interface Given {
  readonly command: readonly string[];
  /** @default "/mcp", or the description's */
  readonly path?: string;
  /** @default - nothing is known but the command */
  readonly environment?: Environment;
}

/** What the server showed when it was started alone. */
export interface Examined {
  readonly protocolVersions: readonly string[];
  readonly sessions: Server["sessions"];
  /** The median of a call, in milliseconds. */
  readonly callMs: number;
  /** The median of a client session with one call, in milliseconds. */
  readonly sessionMs: number;
}

/**
 * Names the file that says which server is rehearsed; for the host, the traffic and every release
 * command.
 */
export const OWN_SERVER = "REHEARSAL_SERVER";

/** What is in that file: an environment is named, because it has checks that are functions. */
export interface OwnServer extends Omit<Given, "environment"> {
  /** Name or path of the user's environment. */
  readonly environment?: string;
  readonly examined: Examined;
  readonly quick: boolean;
}

/** Tried where no environment declares them. */
export const PROTOCOL_VERSIONS = ["2025-11-25", "2026-07-28"];

/** Clients, both colors and whatever else this machine does share its cores. */
const LEAST_P95_LIMIT_MS = 1000;

/** Clients of a server that is slow by nature may wait so many times the median of a session. */
const P95_OF_MEDIAN = 5;

/**
 * Failed calls over all calls. A stricter limit takes more synthetic calls than a server in any
 * language makes in some seconds beside its clients; that no call of a client fails is checked
 * apart.
 */
const MAX_ERROR_RATIO = 0.05;

/** The limit on the p95 of a server in a rehearsal, in milliseconds. */
export function p95LimitMs({ environment: base }: Given, { sessionMs }: Examined): number {
  const measured = Math.ceil((P95_OF_MEDIAN * sessionMs) / 100) * 100;
  return Math.max(LEAST_P95_LIMIT_MS, measured, base?.release.bake.maxP95Ms ?? 0);
}

/** The variable by which a process is told a port that its command alone names. */
export const portVariable = (port: string): string => `REHEARSAL_PORT_${port.toUpperCase().replaceAll("-", "_")}`;

/**
 * The environment in which a server of somebody's own is rehearsed: its description and its smoke
 * call, in short times.
 *
 * Every version is the same program. So nothing can be asked for its version, and images are
 * compared instead.
 */
export function ownEnvironment(given: Given, examined: Examined, quick: boolean): Environment {
  const { command, path, environment: base } = given;
  const maxP95Ms = p95LimitMs(given, examined);
  const inMemory = examined.sessions === "memory";
  const told = portsToldIn(command).filter((port) => port !== "mcp");
  const input: EnvironmentInput = {
    ...base,
    name: "rehearsal",
    namespace: "rehearsal",
    server: {
      ...base?.server,
      ...(path !== undefined && { path }),
      command: [...command],
      args: undefined,
      protocolVersions: [...examined.protocolVersions],
      sessions: examined.sessions,
      // The route chooses for each request, as an Ingress does: it says which color answered, and
      // clients follow a switch.
      connections: "kept",
      version: undefined,
      variables: {
        ...base?.server.variables,
        // A proxy in front of the server learns from them what the command says.
        ports: {
          ...Object.fromEntries(told.map((port) => [port, portVariable(port)])),
          ...base?.server.variables.ports,
        },
      },
    },
    app: { ...base?.app, image: "localhost/rehearsal:1.0.0", imagePolicy: "any" },
    // Only the process that began a session knows it.
    scaling: { replicas: inMemory ? 1 : 2 },
    service: { type: "ClusterIP", ...(inMemory && { sessionAffinity: "clientIp" }) },
    ingress: undefined,
    release: {
      ...(base?.release.smoke && { smoke: base.release.smoke }),
      target: "local",
      stageTimeoutSeconds: 60,
      metrics: { calls: 600, concurrency: 4, maxErrorRatio: MAX_ERROR_RATIO, maxP95Ms },
      bake: {
        durationSeconds: quick ? 10 : 20,
        intervalSeconds: quick ? 1 : 2,
        maxErrorRatio: MAX_ERROR_RATIO,
        maxP95Ms,
        syntheticCallsPerSecond: 5,
        holdTimeoutSeconds: 60,
      },
    },
  };
  return environment(input);
}
