import type { z } from "zod";
import type { Environment } from "../environment.ts";

/**
 * The environment with texts where a user forgot the quotes of a setting, and the issues that remain.
 *
 * `MAX_ITEMS: 20` is the most common mistake. With the text that the user will write, the rules can check all settings in
 * the same round.
 */
export function withTexts(
  environment: Environment,
  issues: readonly z.core.$ZodRawIssue[],
): { readonly environment: Environment; readonly issues: readonly z.core.$ZodRawIssue[] } {
  const unquoted = issues.filter(isUnquotedSetting);
  return {
    environment: unquoted.reduce((value, { path = [], input }) => withValue(value, path, String(input)), environment),
    issues: issues.filter((issue) => !unquoted.includes(issue)),
  };
}

const isUnquotedSetting = ({ code, path = [], input }: z.core.$ZodRawIssue): boolean =>
  code === "invalid_type" && path.at(-2) === "settings" && ["number", "boolean"].includes(typeof input);

/** A copy with another value at a path. Others may hold the original. */
function withValue<T>(value: T, [key, ...rest]: readonly PropertyKey[], text: string): T {
  if (key === undefined) return text as T;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<PropertyKey, unknown>;
  copy[key] = withValue(copy[key], rest, text);
  return copy as T;
}
