import { CliCommand } from "../../cli/command.ts";
import { debugOption } from "../../cli/options.ts";
import { run } from "../../cli/run.ts";

const conformance = new CliCommand("npm run conformance --")
  .description(
    "Runs the official conformance suite on the app: on one process for each protocol version, and on two processes that are " +
      "replaced in turn.",
  )
  .addOption(debugOption())
  .examples("npm run conformance")
  .notes(
    "If redis-server is installed, the two processes share one. docs/conformance.md has the results.",
    "Exit codes: 0 every scenario ended as expected, 1 one did not, 2 wrong usage, 70 a fault of this command.",
  )
  .action(async () => {
    const { runSuite } = await import("./run.ts");
    process.exitCode = (await runSuite()) ? 0 : 1;
  });

await run(conformance, process.argv.slice(2));
