import { Option } from "commander";
import type { CliCommand } from "./command.ts";
import {
  debugOption,
  environmentOption,
  jsonOption,
  outputOption,
  portOption,
  unlessEmpty,
  type Output,
} from "./options.ts";

/** Adds `local`. */
export function addLocal(root: CliCommand): void {
  root
    .command("local")
    .description("run a server on this machine as a cluster would, ready for releases to the idle color")
    .addOption(environmentOption())
    .option("--image <bundle>", "what blue starts with (default: app/dist/main.js, which 'mcp-bluegreen build' makes)")
    .addOption(portOption("port for clients, on 127.0.0.1", 8080))
    .addOption(
      new Option("--home <dir>", "folder in which the host says how to reach it, and keeps the pods' log")
        .env("BLUEGREEN_HOME")
        .default(".local")
        .argParser(unlessEmpty),
    )
    .addOption(outputOption("one JSON object when it is ready"))
    .addOption(jsonOption())
    .addOption(debugOption())
    .variables({
      ENVIRONMENT: "the environment, if -e does not name one",
      BLUEGREEN_HOME: "the folder, if --home does not name one; the release commands read it, too",
    })
    .examples(
      "mcp-bluegreen build && mcp-bluegreen local",
      "mcp-bluegreen release run --image app/dist/app-1.1.0.js --version 1.1.0   # in another terminal",
    )
    .notes(
      "Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 wrong usage or the server does not start, 70 a fault of this command",
    )
    .action(async ({ output, ...options }: LocalCommandOptions) => {
      const { BUNDLED_APP } = await import("../app/bundle.ts");
      const { runLocalHost } = await import("../release/targets/local/main.ts");
      await runLocalHost({ bundledApp: BUNDLED_APP, ...options, json: output === "json" });
    });
}

interface LocalCommandOptions {
  readonly environment: string;
  readonly image?: string;
  readonly port: number;
  readonly home: string;
  readonly output: Output;
}
