import { z } from "zod";

type JsonSchema = Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>;

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object with `text` alone is no JSON Schema that anybody would write. */
const isText = (value: unknown): value is { readonly text: string } =>
  isGroup(value) && Object.keys(value).length === 1 && typeof value.text === "string" && value.text !== "";

const TYPE_OF = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
} as const;

/** Zod ignores the keywords of a schema without `type`, so that it would accept anything: the keywords imply the type here. */
function typed(schema: unknown): unknown {
  if (!isGroup(schema)) return schema;
  const [type] = Object.entries(TYPE_OF).find(([, keywords]) => keywords.some((keyword) => keyword in schema)) ?? [];
  const of = (group: unknown) =>
    isGroup(group) ? Object.fromEntries(Object.entries(group).map(([key, one]) => [key, typed(one)])) : group;
  const each = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === "properties" || key === "$defs") return [key, of(value)];
    if (["items", "additionalProperties", "not"].includes(key)) return [key, typed(value)];
    const isList = ["anyOf", "oneOf", "allOf", "prefixItems"].includes(key) && Array.isArray(value);
    return [key, isList ? value.map(typed) : value];
  });
  const checked: Record<string, unknown> = { ...(type !== undefined && { type }), ...Object.fromEntries(each) };
  if (!Array.isArray(schema.required)) return checked;
  // Zod ignores a required property that `properties` does not have.
  const required = Object.fromEntries(schema.required.map((name) => [String(name), {}]));
  return { ...checked, properties: { ...required, ...(isGroup(checked.properties) && checked.properties) } };
}

/** A JSON Schema becomes a Zod schema, so that one that cannot be used is found at synth. */
const expected = z
  .custom<z.ZodType | JsonSchema | { readonly text: string }>(
    (value) => value instanceof z.ZodType || isGroup(value),
    "must be a JSON Schema, { text: '…' } or a Zod schema",
  )
  .transform((value, context): z.ZodType | { readonly text: string } => {
    if (value instanceof z.ZodType || isText(value)) return value;
    try {
      return z.fromJSONSchema(typed({ type: "object", ...value }) as JsonSchema);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: "custom", message: `is a JSON Schema that cannot be used: ${reason}` });
      return z.NEVER;
    }
  });

/** The call that shows whether a version is right. */
export const smoke = z.strictObject({
  /** The tool that a real client session calls on the idle color. */
  tool: z.string().min(1).describe("the tool that a client calls on the idle color"),
  arguments: z.record(z.string(), z.unknown()).default({}),
  /** A JSON Schema of its structured answer, a Zod schema of that, or `{ text }` for a part of the text of its answer. */
  expect: expected.describe("a JSON Schema of the tool's structured answer, or { text: '…' } that its text contains"),
});
