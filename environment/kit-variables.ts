import type { Server } from "./schema/server.ts";

const REASONS: Readonly<Record<Exclude<keyof Server["variables"], "ports">, string>> = {
  port: "the Services rely on it",
  color: "each color sets its own",
  allowedHosts: "use app.allowedHosts",
  allowedOrigins: "use app.allowedOrigins",
  requestStateKey: "it is a secret; see app.requestStateKeyRevisions",
  redisUrl: "it is a secret; see app.redis",
  redisCluster: "use app.redis.cluster",
  redisPrefix: "it is the environment's name",
  dataDir: "use app.dataVolume",
  dataDurability: "app.dataVolume says what it is",
};

/** The variables that the kit sets, each with the reason why an environment does not. */
export function kitVariables({ ports, ...variables }: Server["variables"]): ReadonlyMap<string, string> {
  return new Map([
    ...Object.values(ports).map((variable) => [variable, "the probes rely on it"] as const),
    ...Object.entries(REASONS).flatMap(([purpose, why]) => {
      const variable = variables[purpose as keyof typeof variables];
      return variable === undefined ? [] : [[variable, why] as const];
    }),
  ]);
}
