import { portsToldIn } from "../ports-in-command.ts";
import type { Server } from "../schema/server.ts";
import type { Problem, Rule } from "./rule.ts";

/** What an environment gives to the server needs a variable that tells the server. */
const toldByVariable: Rule = {
  reads: [
    "app.allowedHosts",
    "app.allowedOrigins",
    "app.requestStateKeyRevisions",
    "app.redis",
    "app.dataVolume",
    "server.variables",
  ],
  problems: ({ app, server: { variables } }) =>
    (
      [
        ["allowedHosts", "allowedHosts", app.allowedHosts.length > 0],
        ["allowedOrigins", "allowedOrigins", app.allowedOrigins.length > 0],
        ["requestStateKeyRevisions", "requestStateKey", app.requestStateKeyRevisions !== undefined],
        ["redis", "redisUrl", app.redis !== undefined],
        ["dataVolume", "dataDir", app.dataVolume !== undefined],
      ] as const
    ).flatMap(([field, variable, given]): Problem[] =>
      given && variables[variable] === undefined
        ? [
            {
              path: ["app", field],
              message: `the server would not learn of it: name its variable in server.variables.${variable}, or remove it`,
            },
          ]
        : [],
    ),
};

/** Everything that names a port names one that exists. */
const knownPorts: Rule = {
  reads: ["server"],
  problems: ({ server }) => {
    const known = ["mcp", ...Object.keys(server.ports)];
    return portReferences(server).flatMap(([path, port]): Problem[] =>
      typeof port === "number" || known.includes(port)
        ? []
        : [{ path: ["server", ...path], message: `there is no port '${port}'; there are: ${known.join(", ")}` }],
    );
  },
};

function portReferences(server: Server): [string[], string | number][] {
  const asked = (["startup", "readiness", "liveness"] as const).flatMap((name): [string[], string | number][] => {
    const probe = server.probes[name];
    return probe === undefined || probe.type === "exec" ? [] : [[["probes", name, "port"], probe.port]];
  });
  const pages = (["health", "version", "metrics"] as const).flatMap((name): [string[], string | number][] => {
    const page = server[name];
    return page === undefined ? [] : [[[name, "port"], page.port]];
  });
  const words = (["command", "args"] as const).flatMap((field): [string[], string][] =>
    portsToldIn(server[field] ?? []).map((name) => [[field], name]),
  );
  const told = Object.keys(server.variables.ports).map((name): [string[], string] => [
    ["variables", "ports", name],
    name,
  ]);
  return [...asked, ...pages, ...words, ...told];
}

const distinctPorts: Rule = {
  reads: ["server.port", "server.ports"],
  problems: ({ server: { port, ports } }) =>
    Object.entries(ports).flatMap(([name, number]): Problem[] => {
      const path = ["server", "ports", name];
      if (name === "mcp") return [{ path, message: "is the name of the MCP port: set server.port" }];
      const other = Object.entries({ mcp: port, ...ports }).find(([key, value]) => key !== name && value === number);
      return other === undefined ? [] : [{ path, message: `port ${number} is also '${other[0]}'` }];
    }),
};

/** A kubelet sends GET, and an MCP endpoint wants POST. */
const noGetOfMcp: Rule = {
  reads: ["server.port", "server.path", "server.probes"],
  problems: ({ server }) =>
    (["startup", "readiness", "liveness"] as const).flatMap((name): Problem[] => {
      const probe = server.probes[name];
      if (probe?.type !== "http" || (probe.port !== "mcp" && probe.port !== server.port)) return [];
      const bare = (path: string) => path.replace(/\/+$/, "");
      const hasAccept = Object.keys(probe.headers).some((header) => header.toLowerCase() === "accept");
      if (bare(probe.path) !== bare(server.path) || hasAccept) return [];
      const message =
        `an MCP endpoint answers GET ${probe.path} with 400, 405 or 406: use another path, { type: "tcp" }, ` +
        "or the headers with which the server answers 200";
      return [{ path: ["server", "probes", name], message }];
    }),
};

const graceHoldsPause: Rule = {
  reads: ["server.stop"],
  problems: ({ server: { stop } }) => {
    if (stop.pause === "none" || stop.graceSeconds === undefined || stop.graceSeconds > stop.pauseSeconds) return [];
    const message = `must be more than the pause (${stop.pauseSeconds} s), not ${stop.graceSeconds}`;
    return [{ path: ["server", "stop", "graceSeconds"], message }];
  },
};

/** Only the pod that began a session knows it. */
const sessionsReachTheirPod: Rule = {
  reads: ["server.sessions", "scaling", "service", "ingress"],
  problems: ({ server: { sessions }, scaling: { maxReplicas }, service, ingress }) => {
    if (sessions === "none" || maxReplicas === 1) return [];
    if (service.sessionAffinity === "clientIp" && ingress === undefined) return [];
    const remedy =
      ingress === undefined
        ? "use one pod, or service.sessionAffinity 'clientIp'"
        : "or use one pod: an Ingress chooses a pod for each request, whatever service.sessionAffinity says";
    const message =
      `with sessions in memory, ${maxReplicas} pods answer each other's sessions with 404: turn sessions off in the server ` +
      `(FastMCP: FASTMCP_STATELESS_HTTP=true) and say 'none', ${remedy}`;
    return [{ path: ["server", "sessions"], message }];
  },
};

export const serverRules: readonly Rule[] = [
  toldByVariable,
  knownPorts,
  distinctPorts,
  noGetOfMcp,
  graceHoldsPause,
  sessionsReachTheirPod,
];
