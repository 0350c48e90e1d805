import { parseArgs } from "node:util";
import { bundle, BundleFailed } from "./bundle.ts";

const HELP = `Usage: node app/build.ts [--version 1.2.0] [--entry app/src/main.ts] [--out app/dist/main.js]

Bundles the app to one file that needs nothing but Node, as 'mcp-bluegreen build' does. The image is built with this script,
because it needs none of the kit's dependencies.

Exit codes: 0 written, 2 wrong usage or the entry point cannot be bundled.
`;

/** @returns the exit code */
async function main(): Promise<number> {
  const { help, ...options } = readOptions();
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { file, version, bytes } = await bundle(options);
  process.stdout.write(`${file}: version ${version}, ${(bytes / 1e6).toFixed(2)} MB\n`);
  return 0;
}

class InvalidOption extends Error {
  override readonly name = "InvalidOption";
}

function readOptions() {
  const text = { type: "string" } as const;
  const options = { version: text, entry: text, out: text, help: { type: "boolean" } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const [problem = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new InvalidOption(`${problem}; see --help`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof InvalidOption || error instanceof BundleFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
