import { z } from "zod";

/** Unknown arguments that an error message lists. */
const MAX_NAMED = 5;

export function wholeNumber(min: number, max: number): z.ZodInt {
  const said = `must be a whole number from ${min} to ${max}`;
  return z.int(said).min(min, said).max(max, said);
}

/** An object with exactly these arguments. A misspelled argument is an error and not ignored. */
export function argumentsOf<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return `must be an object with ${names.join(", ")}`;
      const { keys } = issue;
      const unknown = keys.slice(0, MAX_NAMED).map((key) => `'${key.slice(0, 100)}'`);
      const more = keys.length > MAX_NAMED ? ` and ${keys.length - MAX_NAMED} more` : "";
      return `there is no argument ${unknown.join(", ")}${more}; there are ${names.join(", ")}`;
    },
  });
}
