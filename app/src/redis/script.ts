import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Every .lua file of app/src, by its path there. The bundler defines it: see build.ts. */
declare const BUNDLED_LUA: Readonly<Record<string, string>> | undefined;

/** A Lua script that Redis runs atomically. Its header documents KEYS, ARGV and the result. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

/**
 * Loads a script.
 *
 * @param path - of the file, from app/src
 * @throws Error when there is no such file
 */
export function loadScript(path: string): Script {
  const lua =
    typeof BUNDLED_LUA === "undefined"
      ? readFileSync(join(import.meta.dirname, "..", path), "utf8")
      : BUNDLED_LUA[path];
  if (lua === undefined) throw new Error(`the bundle has no script '${path}'`);
  return script(lua);
}

export function script(lua: string): Script {
  return { lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
