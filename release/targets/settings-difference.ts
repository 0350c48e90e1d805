import type { PendingChange } from "../ports/staging.ts";

type Texts = ReadonlyMap<string, string>;

/** The fields that differ between two settings, by their paths and in the order of these. */
export function settingsDifference(running: object, wanted: object): PendingChange[] {
  return difference(byPath(running), byPath(wanted));
}

export function difference(running: Texts, wanted: Texts): PendingChange[] {
  const paths = [...new Set([...running.keys(), ...wanted.keys()])].sort();
  return paths
    .filter((path) => running.get(path) !== wanted.get(path))
    .map((setting) => ({ setting, running: running.get(setting), wanted: wanted.get(setting) }));
}

/**
 * A value as one text for each path to a field.
 *
 * An item of a list goes by its name where it has one: `env.LOG_LEVEL` and not `env[3].value`. A list of texts or numbers,
 * such as a command, is one field. Without a name an item goes by its number.
 */
export const byPath = (value: object): Texts => new Map(fields("", value));

function fields(path: string, value: unknown): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") return [[path, JSON.stringify(value)]];
  const parts = Array.isArray(value) ? items(path, value) : Object.entries(value).map(keyed(path));
  // Also a field without parts, such as `emptyDir: {}`, says something.
  return parts === undefined || (parts.length === 0 && path !== "")
    ? [[path, JSON.stringify(value)]]
    : parts.flatMap(each);
}

const each = ([path, part]: readonly [string, unknown]) => fields(path, part);

const keyed =
  (path: string) =>
  ([key, part]: readonly [string, unknown]) =>
    [path === "" ? key : `${path}.${key}`, part] as const;

/** @returns undefined for a list that is one field */
function items(path: string, list: readonly unknown[]): (readonly [string, unknown])[] | undefined {
  if (list.every((item) => typeof item !== "object" || item === null)) return undefined;
  return list.map((item, index) => {
    if (typeof item !== "object" || item === null || !("name" in item)) return [`${path}[${index}]`, item];
    const { name, ...rest } = item;
    const isPlain = "value" in rest && Object.keys(rest).length === 1;
    return [`${path}.${String(name)}`, isPlain ? rest.value : rest];
  });
}
