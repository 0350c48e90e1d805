import { z } from "zod";
import type { Environment } from "../environment.ts";
import { withTexts } from "./texts.ts";

/** What is wrong with a field, and what to do about it. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A rule across several fields of an environment. */
export interface Rule {
  /** The fields that it reads, by their paths, such as `app.image`. */
  readonly reads: readonly string[];

  readonly problems: (environment: Environment) => readonly Problem[];
}

/**
 * All rules as one check of a schema. A rule is applied when nothing is wrong with the fields that it reads, whatever
 * else is wrong: so a user hears of all problems at once.
 */
export const checkOf = (rules: readonly Rule[]) =>
  z.superRefine<Environment>(
    (given, context) => {
      const { environment, issues: found } = withTexts(given, [...context.issues]);
      const applicable = rules.filter(
        ({ reads }) => !reads.some((field) => found.some((issue) => concerns(issue, field))),
      );
      for (const { path, message } of applicable.flatMap(({ problems }) => problems(environment))) {
        context.addIssue({ code: "custom", path: [...path], message });
      }
    },
    // By default Zod skips a check if anything is wrong.
    { when: () => true },
  );

/** An unknown key leaves the fields beside it as they are. */
function concerns({ code, path = [] }: z.core.$ZodRawIssue, field: string): boolean {
  if (code === "unrecognized_keys") return false;
  const keys = field.split(".");
  return path.slice(0, keys.length).every((key, index) => String(key) === keys[index]);
}
