import { z } from "zod";

/** Arguments of exactly these names: one that is misspelled is refused by its name, and not left out in silence. */
export function argumentsOf<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const unknown = issue.keys.map((key) => `'${key.slice(0, 100)}'`).join(", ");
      return `there is no argument ${unknown}; there are ${names.join(", ")}`;
    },
  });
}
