import { isAlias, isMap, isScalar, isSeq, parseDocument, visit, type Document, type Pair, type YAMLMap } from "yaml";

/** An alias may make a small file large. */
const LIMIT = { maxAliasCount: 100 } as const;

/**
 * Reads YAML as kubectl does, which merges the maps that `<<` names in the order of the text: a value from `<<` replaces
 * the values before it, and a value after it replaces its own. By the specification of `<<` the position would not matter.
 *
 * @see https://github.com/kubernetes-sigs/yaml/blob/v1.4.0/goyaml.v2/decode.go, `mapping` and `merge`
 * @see https://yaml.org/type/merge.html
 * @throws Error with the problem in the first line of its message
 */
export function parseYaml(text: string): unknown {
  // Warnings are of no use here.
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  visit(document, {
    Map(_, map) {
      if (map.items.some(isMerge)) map.items = inOrder(map, document);
    },
  });
  return document.toJS(LIMIT);
}

/** A quoted `<<` is a key as any other. */
const isMerge = ({ key }: Pair): boolean => isScalar(key) && key.type === "PLAIN" && key.source === "<<";

/** The same map for a reader for whom every key replaces a merged one, and the first merge wins. */
function inOrder(map: YAMLMap, document: Document): Pair[] {
  let ordered: Pair[] = [];
  for (const pair of map.items) {
    if (!isMerge(pair)) {
      ordered.push(pair);
      continue;
    }
    const merged = mergedKeys(pair.value, document);
    ordered = [pair, ...ordered.filter((earlier) => isMerge(earlier) || !merged.has(keyOf(earlier)))];
  }
  return ordered;
}

function mergedKeys(value: unknown, document: Document): ReadonlySet<string> {
  const sources = isSeq(value) ? value.items : [value];
  const maps = sources.map((source) => (isAlias(source) ? source.resolve(document) : source)).filter(isMap);
  return new Set(maps.flatMap((source) => Object.keys(source.toJS(document, LIMIT) as object)));
}

const keyOf = ({ key }: Pair): string => String(isScalar(key) ? key.value : key);
