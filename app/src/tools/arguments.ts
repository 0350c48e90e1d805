import { z } from "zod";

/** A number without a fraction. */
export function wholeNumber(least: number, most: number): z.ZodInt {
  const said = `must be a whole number from ${least} to ${most}`;
  return z.int(said).min(least, said).max(most, said);
}

/** Arguments of exactly these names: one that is misspelled is refused by its name, and not left out in silence. */
export function argumentsOf<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return `must be an object with ${names.join(", ")}`;
      const unknown = issue.keys.map((key) => `'${key.slice(0, 100)}'`).join(", ");
      return `there is no argument ${unknown}; there are ${names.join(", ")}`;
    },
  });
}
