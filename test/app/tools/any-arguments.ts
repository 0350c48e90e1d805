import fc from "fast-check";

/** The part of JSON Schema that tools' inputs are written in. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

/** JSON that programs trip over. */
const hostile = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  "",
  " ",
  "\u0000",
  "\ud800",
  "a\udc00\ud83d",
  "\u202e\u200b\ufeff",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "'; DROP TABLE records; --",
  "${process.exit(1)}",
  "x\r\nhost: evil.example",
  "x".repeat(100_000),
  [],
  {},
  JSON.parse('{"__proto__":{"polluted":true}}'),
  JSON.parse('{"constructor":{"prototype":{"polluted":true}}}'),
  JSON.parse('{"toJSON":1,"then":2,"length":-1,"valueOf":null}'),
  nested(50),
  Array(1000).fill(null),
);

const HOSTS = [
  "127.0.0.1",
  "2130706433",
  "0x7f.1",
  "0177.0.0.1",
  "127.1",
  "[::1]",
  "[::ffff:169.254.169.254]",
  "[64:ff9b::a00:1]",
  "169.254.169.254",
  "localhost",
  "LOCALHOST.",
  "metadata.google.internal",
  "user:password@127.0.0.1",
  "evil.example#@127.0.0.1",
  String.raw`evil.example\@127.0.0.1`,
  "xn--",
  "",
  "a".repeat(300),
];

const addresses = (upstream: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.webPath().map((path) => upstream + path) },
    { weight: 1, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom("http://", "https://", "ftp://", "file://", "javascript:", "//", "http:", "HTTP://"),
          fc.constantFrom(...HOSTS),
          fc.constantFrom("", "/", ":80", ":0", ":99999", `:${new URL(upstream).port}/x`, "/%00", "?\u0000", "/\ud800"),
        )
        .map((parts) => parts.join("")),
    },
  );

/** What makes sense under a name, so that some of the calls get past the checks. */
const MEANT: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  city: fc.constantFrom("Berlin", "Atlantis"),
  pool: fc.constantFrom("pool", "pol"),
  path: fc.oneof(fc.webPath(), fc.constantFrom("/", "//evil.example", String.raw`/\x`, "\ud800", "/\u0000")),
  breaker: fc.constantFrom("weather_api", "database", "upstream:https://evil.example", "__proto__"),
  headers: fc.constantFrom<unknown>(
    {},
    { accept: "text/plain" },
    { Authorization: "x" },
    { host: "evil" },
    { "x-api-key": "\n" },
  ),
  key: fc.constantFrom("a", "user/42", "__proto__", "ключ", "\u0000"),
  idempotencyKey: fc.constantFrom("1", "2", "constructor", "\ud800"),
  timeoutMs: fc.integer({ min: 100, max: 300 }),
  baseDelayMs: fc.integer({ min: 10, max: 20 }),
};

/**
 * Arguments for a tool: mostly such as its input schema describes, with something hostile in any place.
 *
 * @param upstream - an origin that may be called
 */
export function anyArguments(schema: unknown, upstream: string): fc.Arbitrary<unknown> {
  const url = addresses(upstream);

  const of = (node: Schema, name = ""): fc.Arbitrary<unknown> =>
    fc.oneof(
      { weight: 12, arbitrary: name === "url" ? url : (MEANT[name] ?? valid(node)) },
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
    );

  const valid = (node: Schema): fc.Arbitrary<unknown> => {
    if (node.enum !== undefined) return fc.constantFrom(...node.enum);
    if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map((option) => of(option)));
    if (node.type === "object") return object(node);
    if (node.type === "boolean") return fc.boolean();
    const { minimum: min = -10, maximum: max = 1000, minLength = 0, minItems = 0 } = node;
    if (node.type === "integer") return fc.integer({ min, max });
    if (node.type === "number") return fc.double({ min, max, noNaN: true });
    if (node.type === "string")
      return fc.string({ unit: "binary", minLength, maxLength: Math.min(node.maxLength ?? 50, 50) });
    if (node.type === "array")
      return fc.array(of(node.items ?? {}), { minLength: minItems, maxLength: Math.min(node.maxItems ?? 5, 5) });
    return fc.jsonValue({ maxDepth: 3 });
  };

  const object = ({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> => {
    const named = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, of(property, name)])),
      { requiredKeys: [...required] },
    );
    const others = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "hasOwnProperty")),
      of(typeof additionalProperties === "object" ? additionalProperties : {}),
      { maxKeys: 2 },
    );
    return fc
      .tuple(
        named,
        additionalProperties === false ? fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, others) : others,
      )
      .map(([one, other]) => ({ ...other, ...one }));
  };

  return of(schema as Schema);
}
