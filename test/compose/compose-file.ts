import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  mem_limit: z.string(),
});

export const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** compose.yaml as it stands, before Compose puts values into it. */
export const document: unknown = parse(text("compose.yaml"), { merge: true });

/** Puts values in the place of `${NAME}`, `${NAME:-default}` and `${NAME:?what it has to be}`, as Compose does. */
export function interpolate(value: string, variables: Readonly<Record<string, string>> = {}): string {
  return value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = "") => {
    const found = variables[name];
    if (found !== undefined) return found;
    if (kind === "-") return String(rest);
    throw new Error(`${name} is not set: ${String(rest)}`);
  });
}

/** The services, with these variables of the shell that starts them. */
export function services(variables: Readonly<Record<string, string>> = {}) {
  const filled: unknown = JSON.parse(JSON.stringify(document), (_, value: unknown) =>
    typeof value === "string" ? interpolate(value, variables) : value,
  );
  return z.object({ services: z.record(z.string(), service) }).parse(filled).services;
}
