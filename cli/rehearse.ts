import { resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import type { CliCommand } from "./command.ts";
import { debugOption, portOption, unlessEmpty } from "./options.ts";

/** Adds `rehearse`. */
export function addRehearse(root: CliCommand): void {
  root
    .command("rehearse")
    .description("release the bundled app, or any MCP server, on this machine, under the traffic of real MCP clients")
    .summary("run complete releases on this machine, under real MCP traffic")
    .option(
      "--server <command>",
      "rehearse this server, such as 'python3 server.py'; {port} in it is its port, as is PORT",
    )
    .addOption(
      new Option(
        "-e, --environment <name>",
        "rehearse the server that this environment describes (server.command); or describe the one of --server",
      ).argParser(unlessEmpty),
    )
    .option("--path <path>", "path of its MCP endpoint (default: the environment's, or /mcp)")
    .option("--quick", "shorter times and fewer calls, for CI: half a minute instead of a minute and a half", false)
    .option("--json <file>", "write what was measured to a file; docs/rehearse.md describes it")
    .option("--no-page", "serve no page while it runs")
    .addOption(portOption("port of the page on 127.0.0.1", 0))
    .option("--report <dir>", "folder of the report (default: rehearsal-report)")
    .addOption(debugOption())
    .variables({ NO_COLOR: "print without colors" })
    .examples(
      "mcp-bluegreen rehearse",
      "mcp-bluegreen rehearse --quick --no-page --json rehearsal.json",
      "mcp-bluegreen rehearse --server 'FASTMCP_PORT={port} FASTMCP_STATELESS_HTTP=true python3 server.py'",
    )
    .notes(
      "The scenarios: a good version, one that gives wrong answers, one that grows slow under live traffic, and an outage of\n" +
        "the weather API. They need no cloud, no cluster, no Docker, and nothing from the network.",
      "With --server or -e the first three apply: the wrong and the slow version are your server behind a proxy.",
      "Exit codes: 0 every scenario passed, 1 one did not, 2 wrong usage or something is missing, 70 a fault of this command,\n" +
        "130 interrupted.",
    )
    .action(async ({ json, report, server, environment, path, ...options }: RehearseCommandOptions) => {
      const { runRehearsal } = await import("../rehearse/main.ts");
      const { userFolder } = await import("../environment/user-folder.ts");
      const own = ownServer({ server, environment, path });
      process.exitCode = await runRehearsal({
        ...options,
        ...(own && { own }),
        ...(json !== undefined && { json: resolve(userFolder(), json) }),
        ...(report !== undefined && { report: resolve(userFolder(), report) }),
      });
    });
}

/** @throws InvalidArgumentError */
function ownServer({ server, environment, path }: Pick<RehearseCommandOptions, "server" | "environment" | "path">) {
  if (server === undefined && environment === undefined) {
    if (path === undefined) return undefined;
    throw new InvalidArgumentError("--path is about the server of --server or --environment; name one of them.");
  }
  if (path?.startsWith("/") === false) throw new InvalidArgumentError(`--path '${path}' is not a path such as '/mcp'.`);
  return {
    ...(server !== undefined && { server }),
    ...(environment !== undefined && { environment }),
    ...(path !== undefined && { path }),
  };
}

interface RehearseCommandOptions {
  readonly server?: string;
  readonly environment?: string;
  readonly path?: string;
  readonly quick: boolean;
  readonly json?: string;
  readonly page: boolean;
  readonly port: number;
  readonly report?: string;
}
