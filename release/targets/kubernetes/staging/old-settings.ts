import type { PendingChange } from "../../../ports/staging.ts";
import { byPath, difference } from "../../settings-difference.ts";

/** One text for each path, which is how earlier versions of the kit wrote the settings of pods. */
export type FlatSettings = Readonly<Record<string, string>>;

/** The first version wrote `LOG_LEVEL` for `env.LOG_LEVEL`, and nothing but such settings. Every later one wrote this. */
const SINCE_PATHS = "imagePullPolicy";

/** The fields that differ, where the pods were staged by an earlier version of the kit: only fields that it wrote. */
export function differenceFromOld(running: FlatSettings, wanted: object): PendingChange[] {
  const paths = new Map(Object.entries(running));
  if (paths.has(SINCE_PATHS)) return difference(paths, new Map(oldPaths("", wanted)));
  const settings = new Map([...paths].map(([name, value]) => [`env.${name}`, value]));
  const plain = [...byPath(wanted)].filter(([path]) => /^env\.[^.]+$/.test(path));
  return difference(settings, new Map(plain));
}

/** The paths as they were: every item of a list by itself, and `_` for characters that a key of a ConfigMap may not have. */
function oldPaths(path: string, value: unknown): [string, string][] {
  if (["string", "number", "boolean"].includes(typeof value)) return [[path, String(value)]];
  if (typeof value !== "object" || value === null) return [];
  const parts = Array.isArray(value) ? value.map(oldItem) : Object.entries(value);
  return parts.flatMap(([key, part]: readonly [string, unknown]) => oldPaths(joined(path, key), part));
}

function oldItem(value: unknown, index: number): readonly [string, unknown] {
  if (typeof value !== "object" || value === null || !("name" in value)) return [String(index), value];
  const { name, ...rest } = value;
  const isPlain = "value" in rest && Object.keys(rest).length === 1;
  return [String(name), isPlain ? rest.value : rest];
}

function joined(path: string, key: string): string {
  const part = key.replaceAll(/[^-._a-zA-Z0-9]/g, "_");
  return path === "" ? part : `${path}.${part}`;
}
