import { InvalidArgumentError, Option } from "commander";
import { EXIT_HELP } from "../release/exit-codes.ts";
import type { CliCommand } from "./command.ts";
import {
  contextOption,
  debugOption,
  environmentOption,
  jsonOption,
  outputOption,
  portOption,
  type Output,
} from "./options.ts";
import { UsageError } from "../release/errors.ts";
import type { Change } from "./release/change.ts";
import type { ContractOptions } from "./release/contract.ts";

/** What every command of a release takes. */
export interface TargetOptions {
  readonly environment: string;
  readonly target?: "local" | "kubernetes";
  readonly context?: string;
  readonly output: Output;
}

export interface StatusOptions extends TargetOptions {
  /** Seconds, or `true` for the environment's. */
  readonly wait?: number | true;
}

export interface ChangeOptions extends TargetOptions {
  readonly image?: string;
  readonly version?: string;
  readonly takeOver?: boolean;
  readonly dryRun?: boolean;
  readonly toChangedStandby?: boolean;
}

const VARIABLES = {
  ENVIRONMENT: "the environment, if -e does not name one",
  KUBECONFIG: "Kubernetes: the kubeconfig files, as for kubectl",
  KUBE_CONTEXT: "Kubernetes: the same as --context",
  "HTTPS_PROXY, NO_PROXY": "Kubernetes: the proxy to the API server, as for kubectl",
  BLUEGREEN_HOME: "local: folder in which 'mcp-bluegreen local' says how to reach it (default: .local)",
  NO_COLOR: "print without colors; there are none outside a terminal",
};

const GATE_VARIABLES = {
  RELEASE_TOKEN: "bearer token of the gates' calls, if the server requires one",
};

const STAGE_VARIABLES = {
  "TF_VAR_…": "Kubernetes: variables of the stacks, for Terraform",
};

/** Adds `release` and its commands. */
export function addRelease(root: CliCommand): void {
  const release = root
    .command("release")
    .description("move traffic to a new version after it has passed its gates, and back if it fails")
    .examples(
      "mcp-bluegreen release run -e staging --image registry.example/app@sha256:… --version 1.1.0",
      "mcp-bluegreen release status -e staging",
      "mcp-bluegreen release rollback -e staging",
    )
    .notes(EXIT_HELP, "docs/release.md describes each phase, and how to continue after an interruption.");

  addRun(release);
  addStage(release);
  addVerify(release);
  addPhases(release);
  addRollback(release);
  addReaders(release);
}

function addRun(release: CliCommand): void {
  changing(release, "run", "run all phases; without --image, continue the release in progress", [
    imageOption(),
    versionOption(),
  ])
    .variables({ ...VARIABLES, ...GATE_VARIABLES, ...STAGE_VARIABLES })
    .examples(
      "mcp-bluegreen release run --image app/dist/app-1.1.0.js --version 1.1.0",
      "mcp-bluegreen release run -e production --image registry.example/app@sha256:… --version 1.1.0 --dry-run",
      "mcp-bluegreen release run -e production   # continues",
    )
    .action(change("run"));
}

function addStage(release: CliCommand): void {
  changing(release, "stage", "deploy a version to the idle color", [
    imageOption().makeOptionMandatory(),
    versionOption().makeOptionMandatory(),
  ])
    .variables({ ...VARIABLES, ...STAGE_VARIABLES })
    .examples("mcp-bluegreen release stage -e staging --image registry.example/app@sha256:… --version 1.1.0")
    .action(change("stage"));
}

function addVerify(release: CliCommand): void {
  changing(release, "verify", "run the gates on the idle color", [
    new Option("--contract", "tell what the server lacks for releases, line by line; takes no lease, needs no release"),
    new Option("--end-pod", "with --contract: also end a pod of the idle color under calls, to see how it stops"),
  ])
    .variables({ ...VARIABLES, ...GATE_VARIABLES })
    .examples("mcp-bluegreen release verify -e staging", "mcp-bluegreen release verify -e staging --contract --end-pod")
    .action(async (options: ChangeOptions & ContractOptions & { readonly contract?: boolean }) => {
      if (options.contract !== true) {
        if (options.endPod === true) throw new UsageError("--end-pod belongs to --contract");
        await change("verify")(options);
        return;
      }
      const { contract } = await import("./release/contract.ts");
      await contract(options);
    });
}

function addPhases(release: CliCommand): void {
  for (const [name, description] of [
    ["promote", "run the gates again, because earlier results age, and move the traffic"],
    ["bake", "monitor the new color under live traffic; roll back if a gate fails"],
    ["retire", "remove the replica overrides, so that the old color scales down to its minimum"],
  ] as const) {
    changing(release, name, description)
      .variables(name === "retire" ? VARIABLES : { ...VARIABLES, ...GATE_VARIABLES })
      .examples(`mcp-bluegreen release ${name} -e staging`)
      .action(change(name));
  }
}

function addRollback(release: CliCommand): void {
  changing(release, "rollback", "move the traffic back; before promote, abort the release", [
    new Option("--to-changed-standby", "also if the old color no longer runs the version from before the release"),
  ])
    .variables(VARIABLES)
    .examples(
      "mcp-bluegreen release rollback -e production",
      "mcp-bluegreen release rollback -e production --take-over",
    )
    .action(change("rollback"));
}

function addReaders(release: CliCommand): void {
  command(release, "status", "show both colors, the traffic, the release, and pending changes", "one JSON object")
    .addOption(waitOption())
    .variables(VARIABLES)
    .examples(
      "mcp-bluegreen release status",
      "mcp-bluegreen release status -e staging -o json | jq -r .live",
      "ENVIRONMENT=staging npx cdktf deploy '*' && mcp-bluegreen release status -e staging --wait",
    )
    .action(async (options: StatusOptions) => {
      const { status } = await import("./release/read.ts");
      await status(options);
    });
  command(release, "history", "show the last 20 releases that have ended", "one JSON object per release")
    .variables(VARIABLES)
    .examples("mcp-bluegreen release history -e production")
    .action(async (options: TargetOptions) => {
      const { history } = await import("./release/read.ts");
      await history(options);
    });
  command(release, "watch", "serve a page that shows releases as they happen; reads only", "the address of the page")
    .addOption(portOption("port of the page on 127.0.0.1", 0))
    .variables(VARIABLES)
    .examples("mcp-bluegreen release watch -e staging --port 8090")
    .action(async (options: TargetOptions & { readonly port: number }) => {
      const { watch } = await import("./release/read.ts");
      await watch(options);
    });
}

/** @param json what `-o json` prints */
function command(release: CliCommand, name: string, description: string, json: string): CliCommand {
  return common(release.command(name).description(description), json);
}

function changing(release: CliCommand, name: string, description: string, options: readonly Option[] = []): CliCommand {
  const command = release.command(name).description(description);
  for (const option of options) command.addOption(option);
  command
    .option("--dry-run", "show what the command would do; change nothing, and take no lease")
    .option(
      "--take-over",
      "take the lease from a command that runs or has died; that command then changes nothing more",
    );
  return common(command, "one JSON object per event; the last has the type 'result'");
}

const common = (command: CliCommand, json: string): CliCommand =>
  command
    .addOption(environmentOption())
    .addOption(new Option("--target <target>", "where to release instead of the environment's target").choices(TARGETS))
    .addOption(contextOption())
    .addOption(outputOption(json))
    .addOption(jsonOption())
    .addOption(debugOption())
    .notes(EXIT_HELP);

const TARGETS = ["local", "kubernetes"];

const imageOption = (): Option =>
  new Option("--image <image>", "an image by digest; on the local target, the path of a bundle");

const waitOption = (): Option =>
  new Option(
    "--wait [seconds]",
    "first wait until the pods of both colors are ready, after a deploy (default: the environment's stageTimeoutSeconds)",
  ).argParser((text: string) => {
    const seconds = Number(text);
    if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError("It is a number of seconds above 0");
    return seconds;
  });

const versionOption = (): Option => new Option("--version <version>", "the version that its pods must report");

const change = (name: Change) => async (options: ChangeOptions) => {
  const { runChange } = await import("./release/change.ts");
  await runChange(name, options);
};
