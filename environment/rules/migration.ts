import type { Problem, Rule } from "./rule.ts";

/** Kubernetes starts a program without a shell, which would look for one with this whole name. */
const noCommandLine: Rule = {
  reads: ["migration"],
  problems: ({ migration }): Problem[] => {
    const [program = ""] = migration?.command ?? [];
    if (!/\s/.test(program)) return [];
    const items = program
      .trim()
      .split(/\s+/)
      .map((word) => JSON.stringify(word));
    const message =
      `'${program}' is taken for the name of one program: write its arguments as items, [${items.join(", ")}], ` +
      `or run a shell that the image has: ["/bin/sh", "-c", ${JSON.stringify(program)}]`;
    return [{ path: ["migration", "command", 0], message }];
  },
};

export const migrationRules: readonly Rule[] = [noCommandLine];
