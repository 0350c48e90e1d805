import { z } from "zod";
import { nearestOf } from "./nearest.ts";
import { shown } from "./shown.ts";

/**
 * What is wrong with an input, in the words of an environment file: with the value, and with what to write instead.
 *
 * @returns undefined if Zod's own message says it
 */
export const explain: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? missing(issue) : wrongType(issue.expected, issue.input);
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, keysOf(issue.inst))).join("; ");
    case "invalid_union": {
      const { discriminator = "", options = [] } = issue as { discriminator?: string; options?: readonly unknown[] };
      if (discriminator === "") return undefined;
      const given = (issue.input as Readonly<Record<string, unknown>> | undefined)?.[discriminator];
      return given === undefined ? `is missing: ${oneOf(options)}` : `must be ${oneOf(options)}, not ${shown(given)}`;
    }
    case "invalid_value":
      return issue.input === undefined ? missing(issue) : `must be ${oneOf(issue.values)}, not ${shown(issue.input)}`;
    case "too_small":
      return bound(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum, issue.input);
    case "too_big":
      return bound(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum, issue.input);
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return undefined;
  }
};

function missing({ inst }: z.core.$ZodRawIssue): string {
  const purpose = inst instanceof z.ZodType ? inst.description : undefined;
  return purpose === undefined ? "is missing" : `is missing: ${purpose}`;
}

function wrongType(expected: string, input: unknown): string {
  if (expected === "string" && ["number", "boolean", "bigint"].includes(typeof input)) {
    return `must be text: write "${String(input)}" in quotes`;
  }
  const unquoted = typeof input === "string" && input.trim() !== "" ? input.trim() : "";
  if (["number", "int"].includes(expected) && Number.isFinite(Number(unquoted || Number.NaN))) {
    return `must be a number: write ${unquoted} without quotes`;
  }
  if (expected === "boolean" && ["true", "false"].includes(unquoted)) return `must be ${unquoted} without quotes`;
  return `must be ${EXPECTED[expected] ?? expected}, not ${shown(input)}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list: […]",
  object: "a group of fields: { … }",
  record: "a group of names and values: { … }",
};

const keysOf = (inst: unknown) => (inst instanceof z.ZodObject ? Object.keys(inst.shape) : []);

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestOf(key, known);
  const instead = nearest === undefined ? `there are: ${known.join(", ")}` : `did you mean '${nearest}'?`;
  return `there is no '${key}' here; ${instead}`;
}

const oneOf = (values: readonly unknown[]) => values.map(shown).join(" or ");

function bound(origin: string, relation: string, limit: number | bigint, input: unknown): string {
  if (origin === "number" || origin === "int") return `must be ${relation} ${limit}, not ${shown(input)}`;
  if (origin === "string" && limit === 1 && relation === "at least") return "must not be empty";
  return `must have ${relation} ${limit} ${origin === "string" ? "characters" : "items"}, not ${shown(input)}`;
}
