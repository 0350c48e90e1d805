import { z } from "zod";
import { objectSchema, type JsonSchema } from "../json-schema.ts";

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object with `text` alone has no keyword of JSON Schema. */
const isText = (value: unknown): value is { readonly text: string } =>
  isGroup(value) && Object.keys(value).length === 1 && typeof value.text === "string" && value.text !== "";

/** A JSON Schema becomes a Zod schema, so that one that cannot be used is found at synth. */
const expected = z
  .custom<z.ZodType | JsonSchema | { readonly text: string }>(
    (value) => value instanceof z.ZodType || isGroup(value),
    "must be a JSON Schema, { text: '…' } or a Zod schema",
  )
  .transform((value, context): z.ZodType | { readonly text: string } => {
    if (value instanceof z.ZodType || isText(value)) return value;
    try {
      return objectSchema(value);
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
  /**
   * A JSON Schema (2020-12) of its structured answer, a Zod schema of that, or `{ text }` for a part of the text of its
   * answer. An answer without structured content fails a schema.
   */
  expect: expected.describe("a JSON Schema of the tool's structured answer, or { text: '…' } that its text contains"),
});
