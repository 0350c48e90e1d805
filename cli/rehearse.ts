import { resolve } from "node:path";
import type { CliCommand } from "./command.ts";
import { debugOption, portOption } from "./options.ts";

/** Adds `rehearse`. */
export function addRehearse(root: CliCommand): void {
  root
    .command("rehearse")
    .description("release four times on this machine, under the traffic of real MCP clients")
    .summary("run complete releases on this machine, under real MCP traffic")
    .option("--quick", "shorter times and fewer calls, for CI: half a minute instead of a minute and a half", false)
    .option("--json <file>", "write what was measured to a file; docs/rehearse.md describes it")
    .option("--no-page", "serve no page while it runs")
    .addOption(portOption("port of the page on 127.0.0.1", 0))
    .option("--report <dir>", "folder of the report (default: rehearsal-report)")
    .addOption(debugOption())
    .variables({ NO_COLOR: "print without colors" })
    .examples("mcp-bluegreen rehearse", "mcp-bluegreen rehearse --quick --no-page --json rehearsal.json")
    .notes(
      "The scenarios: a good version, one that gives wrong answers, one that grows slow under live traffic, and an outage of\n" +
        "the weather API. They need no cloud, no cluster, no Docker, and nothing from the network.",
      "Exit codes: 0 every scenario passed, 1 one did not, 2 wrong usage or something is missing, 70 a fault of this command,\n" +
        "130 interrupted.",
    )
    .action(async ({ json, report, ...options }: RehearseCommandOptions) => {
      const { runRehearsal } = await import("../rehearse/main.ts");
      const { userFolder } = await import("../environment/user-folder.ts");
      process.exitCode = await runRehearsal({
        ...options,
        ...(json !== undefined && { json: resolve(userFolder(), json) }),
        ...(report !== undefined && { report: resolve(userFolder(), report) }),
      });
    });
}

interface RehearseCommandOptions {
  readonly quick: boolean;
  readonly json?: string;
  readonly page: boolean;
  readonly port: number;
  readonly report?: string;
}
