/**
 * A value as one text for each path, in the order of the paths: equal values are equal records, and a difference has a name.
 *
 * An item of a list goes by its name where it has one: `env.LOG_LEVEL` and not `env.3.value`. A path is a key of ConfigMaps,
 * so any character that they refuse is a `_`.
 */
export function byPath(value: object): Record<string, string> {
  return Object.fromEntries(paths("", value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function paths(path: string, value: unknown): [string, string][] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return [[path, String(value)]];
  }
  if (typeof value !== "object" || value === null) return [];
  const parts = Array.isArray(value) ? value.map(item) : Object.entries(value);
  return parts.flatMap(([key, part]: readonly [string, unknown]) => paths(joined(path, key), part));
}

function item(value: unknown, index: number): readonly [string, unknown] {
  if (typeof value !== "object" || value === null || !("name" in value)) return [String(index), value];
  const { name, ...rest } = value;
  const isPlain = "value" in rest && Object.keys(rest).length === 1;
  return [String(name), isPlain ? rest.value : rest];
}

const joined = (path: string, key: string) => {
  const part = key.replaceAll(/[^-._a-zA-Z0-9]/g, "_");
  return path === "" ? part : `${path}.${part}`;
};
