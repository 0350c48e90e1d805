import type { Color } from "../../../../environment/color.ts";
import type { Environment } from "../../../../environment/environment.ts";
import type { Server } from "../../../../environment/schema/server.ts";
import { portsToldIn } from "../../../../environment/ports-in-command.ts";
import { UsageError } from "../../../errors.ts";

/** Ports of a process by their names in the server's description; the MCP port is `mcp`. */
export type Ports = Readonly<Record<string, number>> & { readonly mcp: number };

type Described = Pick<Server, "port" | "ports" | "variables" | "command" | "args">;

/** Variables that are this command's own, and of npm's. */
const NOT_INHERITED = /^(?:npm_|INIT_CWD$|BLUEGREEN_|REHEARSAL_|NODE_COMPILE_CACHE$)/;

/** What a user's own program gets of the shell that the host was started from. */
export const inheritedVariables = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)));

/**
 * What the kit tells a process of a color in the variables that its server has, as Terraform does
 * for a pod.
 */
export function kitVariablesOf(color: Color, { variables }: Described, { app }: Environment): Record<string, string> {
  const told: readonly (readonly [string | undefined, string])[] = [
    ["HOST", "127.0.0.1"],
    [variables.color, color],
    [variables.allowedHosts, ["127.0.0.1", "localhost", ...app.allowedHosts].join(",")],
    [variables.allowedOrigins, app.allowedOrigins.join(",")],
  ];
  return Object.fromEntries(told.flatMap(([variable, value]) => (variable === undefined ? [] : [[variable, value]])));
}

/**
 * The variables with the ports. Most programs read `PORT`, so that one has the MCP port in any
 * case.
 */
export function portVariables({ variables }: Described, ports: Ports): Record<string, string> {
  return {
    PORT: String(ports.mcp),
    ...(variables.port !== undefined && { [variables.port]: String(ports.mcp) }),
    ...Object.fromEntries(
      Object.entries(variables.ports).map(([name, variable]) => [variable, String(ports[name] ?? "")]),
    ),
  };
}

/** The names of the other ports that a process can be given. */
export function tellablePorts(server: Described): readonly string[] {
  const told = portsToldIn([...(server.command ?? []), ...(server.args ?? [])]);
  return Object.keys(server.ports).filter((name) => name in server.variables.ports || told.includes(name));
}

/** The number of a port in one process, by its name or by the number that the description has. */
export function portOf(server: Described, ports: Ports, reference: string | number): number {
  const described: Readonly<Record<string, number>> = { mcp: server.port, ...server.ports };
  const name =
    typeof reference === "string" ? reference : Object.keys(described).find((name) => described[name] === reference);
  return (name === undefined ? undefined : ports[name]) ?? (typeof reference === "number" ? reference : 0);
}

/**
 * Processes on one machine cannot share a port that the release needs.
 *
 * @throws UsageError that names the port and how to tell the server of it
 */
export function mustHaveOwnPorts(server: Server): void {
  const { probes, health, version, metrics } = server;
  const readiness = probes.readiness.type === "exec" ? undefined : probes.readiness.port;
  const used = { "probes.readiness": readiness, health: health?.port, version: version?.port, metrics: metrics?.port };
  const own = ["mcp", ...tellablePorts(server)];
  for (const [user, reference] of Object.entries(used)) {
    if (reference === undefined) continue;
    const name =
      typeof reference === "string"
        ? reference
        : Object.entries({ mcp: server.port, ...server.ports }).find(([, number]) => number === reference)?.[0];
    if (name !== undefined && own.includes(name)) continue;
    throw new UsageError(
      `server.${user} needs port '${String(reference)}', and each process on this machine needs one of its own: ` +
        `name its variable in server.variables.ports, or write {port:${name ?? "NAME"}} in server.command`,
    );
  }
}
