import { resolve } from "node:path";
import type { CliCommand } from "./command.ts";
import { debugOption, jsonOption, outputOption, type Output } from "./options.ts";

interface BuildCommandOptions {
  readonly version?: string;
  readonly entry?: string;
  readonly out?: string;
  readonly output: Output;
}

/** Adds `build`. */
export function addBuild(root: CliCommand): void {
  root
    .command("build")
    .description("bundle the MCP app to one file that needs nothing but Node")
    .option("--version <version>", "the version that it reports (default: that of the app)")
    .option("--entry <file>", "an entry point of your own (default: the app's)")
    .option("--out <file>", "the file to write (default: app/dist/main.js)")
    .addOption(outputOption("the file, its version and its size as one JSON object"))
    .addOption(jsonOption())
    .addOption(debugOption())
    .examples(
      "mcp-bluegreen build",
      "mcp-bluegreen build --version 1.1.0 --out app/dist/app-1.1.0.js",
      "mcp-bluegreen build --entry server/main.ts --out dist/server.js",
    )
    .notes("Exit codes: 0 written, 2 wrong usage or the entry point cannot be bundled, 70 a fault of this command.")
    .action(async ({ version, entry, out, output }: BuildCommandOptions) => {
      const { bundle, BundleFailed } = await import("../app/bundle.ts");
      const { userFolder } = await import("../environment/user-folder.ts");
      const { UsageError } = await import("../release/errors.ts");
      const { withProgress } = await import("./progress.ts");
      const from = (path: string | undefined) => path && resolve(userFolder(), path);
      const work = bundle({ version, entry: from(entry), out: from(out) }).catch((error: unknown) => {
        throw error instanceof BundleFailed ? new UsageError(error.message, { cause: error }) : error;
      });
      const built = await withProgress("bundling the app", output, work);
      process.stdout.write(output === "json" ? `${JSON.stringify(built)}\n` : `${describe(built)}\n`);
    });
}

const describe = ({ file, version, bytes }: { file: string; version: string; bytes: number }): string =>
  `${file}: version ${version}, ${(bytes / 1e6).toFixed(2)} MB`;
