import { addFormats, AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";

/** A JSON Schema of dialect 2020-12, the one of MCP, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The SDK exports it with a type that TypeScript cannot resolve. */
const withFormats = addFormats as (ajv: Ajv2020) => unknown;

/**
 * A check of an object by a JSON Schema, as the MCP SDK checks the answers of tools by their output schemas.
 *
 * Keywords mean what the standard says: without `type`, `properties` and `required` apply to objects only. A keyword or format
 * that the standard does not have is refused, because it would check nothing.
 *
 * @throws Error if the schema cannot be used, with the reason
 */
export function objectSchema(schema: JsonSchema): z.ZodType {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allErrors: true,
  });
  withFormats(ajv);
  const validate = new AjvJsonSchemaValidator(ajv).getValidator(schema);
  return z.looseObject({}, "must be an object").superRefine((value, context) => {
    const { errorMessage } = validate(value);
    if (errorMessage !== undefined) context.addIssue({ code: "custom", message: errorMessage });
  });
}
