import { Option } from "commander";
import { CliCommand } from "../cli/command.ts";
import { debugOption, jsonOption, outputOption, type Output } from "../cli/options.ts";
import { run } from "../cli/run.ts";
import { PARTS, type Part } from "./parts.ts";

const bench = new CliCommand("npm run bench --")
  .description(
    "Measures the figures of the documentation, each beside its bar, and writes each part to bench/results. Nothing else should " +
      "run at the same time.",
  )
  .addOption(new Option("--only <part>", "one part").choices(PARTS))
  .option("--quick", "the quick rehearsal, and fewer rounds or bakes; writes nothing", false)
  .addOption(outputOption("one JSON object instead of the table"))
  .addOption(jsonOption())
  .addOption(debugOption())
  .examples("npm run bench", "npm run bench -- --only synth --quick")
  .notes("Exit codes: 0 every bar holds, 1 one does not, 2 wrong usage, 70 a fault of this command.")
  .action(async ({ output, ...options }: { only?: Part; quick: boolean; output: Output }) => {
    const { runBenches } = await import("./run.ts");
    process.exitCode = (await runBenches({ ...options, json: output === "json" })) ? 0 : 1;
  });

await run(bench, process.argv.slice(2));
