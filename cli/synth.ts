import { Option } from "commander";
import type { CliCommand } from "./command.ts";
import { contextOption, debugOption, environmentOption, unlessEmpty } from "./options.ts";

interface SynthOptions {
  readonly environment: string;
  readonly context?: string;
  readonly stage?: string;
  readonly activate?: string;
  readonly app?: string;
}

/** Adds `synth`. */
export function addSynth(root: CliCommand): void {
  root
    .command("synth")
    .summary("write an environment's stacks to cdktf.out")
    .description(
      "Write an environment's stacks to cdktf.out, with the app command of cdktf.json. 'cdktf deploy' runs this command, too, " +
        "with the variables below.",
    )
    .addOption(environmentOption())
    .addOption(contextOption())
    .addOption(
      new Option("--stage <color=image>", "put this image, and the environment's settings, on a color")
        .env("STAGE")
        .argParser(unlessEmpty),
    )
    .addOption(new Option("--activate <color>", "give this color the traffic").env("ACTIVATE").argParser(unlessEmpty))
    .addOption(
      new Option("--app <environment-app>", "the app that --stage and --activate are for, in a cdktf App of several")
        .env("BLUEGREEN_APP")
        .argParser(unlessEmpty),
    )
    .addOption(debugOption())
    .variables({
      ENVIRONMENT: "the environment, if -e does not name one",
      STAGE: "the same as --stage",
      STAGE_MARK: "the release that stages; 'mcp-bluegreen release' sets it",
      STAGE_EPOCH: "the epoch of its lease; 'mcp-bluegreen release' sets it",
      ACTIVATE: "the same as --activate",
      BLUEGREEN_APP: "the same as --app",
      KUBECONFIG: "the kubeconfig files, as for kubectl",
      KUBE_CONTEXT: "the same as --context",
      CDKTF_OUTDIR: "the folder that is written (default: cdktf.out beside cdktf.json)",
    })
    .examples(
      "mcp-bluegreen synth -e staging",
      "mcp-bluegreen synth -e staging --stage green=registry.example/app@sha256:…",
      "ENVIRONMENT=staging npx cdktf deploy '*'",
    )
    .notes(
      "Without 'stage' no pod changes, and without 'activate' no traffic moves.",
      "Relative paths start from the folder in which the command was called (INIT_CWD, if npm started it).",
      "Exit codes: 0 written, 2 wrong usage, 70 a fault of this command; otherwise that of the app command.",
    )
    .action(async (options: SynthOptions) => {
      const { runSynth } = await import("./synth/run.ts");
      process.exitCode = await runSynth(options);
    });
}
