import { once } from "node:events";
import { Command, CommanderError, Option } from "commander";
import { InvalidEnvironment, type Environment } from "../environment/environment.ts";
import { loadEnvironment, UnknownEnvironment } from "../environment/load.ts";
import { InvalidKubeconfig } from "../kubeconfig/invalid-kubeconfig.ts";
import { artifact } from "./artifact.ts";
import { TargetRefused, TargetUnreachable, UsageError } from "./errors.ts";
import type { ReleaseResult } from "./events.ts";
import { EXIT_CODES, EXIT_HELP } from "./exit-codes.ts";
import { writeHistory } from "./history.ts";
import type { Target } from "./ports/target.ts";
import { printer, type Print } from "./print.ts";
import type { Candidate } from "./rules.ts";
import { runRelease, type Command as ReleaseCommand } from "./run-release.ts";
import { readStatus, writeStatus } from "./status.ts";
import { LocalTarget } from "./targets/local/target.ts";

interface Options {
  readonly environment: string;
  readonly target?: Environment["release"]["target"];
  readonly json?: boolean;
  readonly image?: string;
  readonly version?: string;
  readonly takeOver?: boolean;
  readonly toChangedStandby?: boolean;
}

const program = new Command("release")
  .description("Moves traffic to a new version after it has passed its gates, and back if it fails.")
  .addHelpText(
    "afterAll",
    `
${EXIT_HELP}
With --json each event is one line on standard output; the last has the type "result".
docs/release.md describes each command, and how to go on after an interruption.`,
  )
  .exitOverride()
  .configureOutput({
    outputError: (message, write) => {
      write(message.replace(/^error: /, ""));
    },
  });

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption("--environment <name>", "a file in environments/, or a path to one")
    .addOption(
      new Option("--target <target>", "where to release (default: the environment's)").choices(["local", "kubernetes"]),
    )
    .option("--json", "print one JSON object per line");
}

const changing = (name: string, description: string) =>
  command(name, description).option(
    "--take-over",
    "take the lease from a command that runs or has died; that command then changes nothing more",
  );

const candidateOptions = (command: Command, mandatory: boolean) =>
  command
    .addOption(
      new Option("--image <image>", "an image by digest; on this machine, the path of a bundle").makeOptionMandatory(
        mandatory,
      ),
    )
    .addOption(
      new Option("--version <version>", "the version that its pods must report").makeOptionMandatory(mandatory),
    );

command("status", "show both colors, the traffic, the release, and pending changes").action(
  async (options: Options) => {
    const environment = await loadEnvironment(options.environment);
    await using target = await open(options, environment);
    writeStatus(await readStatus(target, environment), options.json === true);
  },
);
command("history", "show the last 20 releases that have ended").action(async (options: Options) => {
  await using target = await open(options, await loadEnvironment(options.environment));
  writeHistory(await target.records.history(), options.json === true);
});
command("watch", "serve a page on this machine that shows releases as they happen; reads only")
  .option("--port <port>", "of the page; 0 for any free one", "0")
  .action(async (options: Options & { readonly port: string }) => {
    const port = Number(options.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new UsageError(`--port '${options.port}' is no port`);
    const environment = await loadEnvironment(options.environment);
    await using target = await open(options, environment);
    const { watchTarget } = await import("../rehearse/watch.ts");
    const signal = AbortSignal.any([once(process, "SIGINT"), once(process, "SIGTERM")].map(aborted));
    const onReady = (url: string) => {
      process.stdout.write(
        options.json === true ? `${JSON.stringify({ type: "ready", url })}\n` : `${url} (Ctrl-C ends it)\n`,
      );
    };
    await watchTarget({ target, environment, port, signal, onReady });
  });
candidateOptions(changing("stage", "deploy a version to the idle color"), true).action((options: Options) =>
  release(options, (candidate) => ({ do: "stage", candidate: named(candidate) })),
);
changing("verify", "run the gates on the idle color")
  .option("--contract", "tell what the server lacks for releases, line by line; takes no lease, needs no release")
  .option("--end-pod", "with --contract: also end a pod of the idle color under calls, to see how it stops")
  .action(async (options: Options & { readonly contract?: boolean; readonly endPod?: boolean }) => {
    if (options.contract !== true) {
      if (options.endPod === true) throw new UsageError("--end-pod belongs to --contract");
      await release(options, () => ({ do: "verify" }));
      return;
    }
    const environment = await loadEnvironment(options.environment);
    await using target = await open(options, environment);
    const signal = AbortSignal.any([once(process, "SIGINT"), once(process, "SIGTERM")].map(aborted));
    const { checkContract } = await import("./contract/contract.ts");
    const { holds, writeContract } = await import("./contract/write.ts");
    const contract = await checkContract({ target, environment, signal, endPod: options.endPod === true });
    writeContract(contract, options.json === true);
    process.exitCode = holds(contract) ? 0 : EXIT_CODES.aborted;
  });
for (const [name, description] of [
  ["promote", "run the gates again and move the traffic"],
  ["bake", "monitor the new color under live traffic, roll back if a gate fails"],
  ["retire", "remove the replica overrides, so that the old color scales down to its minimum"],
] as const) {
  changing(name, description).action((options: Options) => release(options, () => ({ do: name })));
}
changing("rollback", "move the traffic back; before promote, abort the release")
  .option("--to-changed-standby", "also if the old color no longer runs the version from before the release")
  .action((options: Options) =>
    release(options, () => ({ do: "rollback", toChangedStandby: options.toChangedStandby === true })),
  );
candidateOptions(changing("run", "all phases; without --image, continue the release in progress"), false).action(
  (options: Options) => release(options, (candidate) => ({ do: "run", candidate })),
);

async function release(
  options: Options,
  commandOf: (candidate: Candidate | undefined) => ReleaseCommand,
): Promise<void> {
  const print = printer(options.json === true);
  const environment = await loadEnvironment(options.environment);
  const command = commandOf(await candidateOf(options, environment));
  await using target = await open(options, environment, (message) => {
    print({ type: "progress", message });
  });
  const interrupted = new AbortController();
  const interrupt = (by: string) => {
    if (interrupted.signal.aborted) return;
    interrupted.abort(new Error(`interrupted by ${by}`));
    print({ type: "progress", message: `${by}: stopping` });
  };
  // A terminal and npm both send it; the second one must not end the command half way. A terminal that closes sends SIGHUP.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);
  process.stdout.on("error", () => {
    interrupt("the end of its output");
  });

  const { signal } = interrupted;
  const takeOver = options.takeOver === true;
  finish(print, await runRelease({ target, environment, command, takeOver, listener: print, signal }));
}

function aborted(event: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  void event.then(() => {
    controller.abort();
  });
  return controller.signal;
}

async function open(
  { environment: name, target }: Options,
  environment: Environment,
  progress?: (message: string) => void,
): Promise<Target & AsyncDisposable> {
  const opened = await openTarget(target ?? environment.release.target, name, environment, progress);
  return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() });
}

async function openTarget(
  kind: Environment["release"]["target"],
  name: string,
  environment: Environment,
  progress?: (message: string) => void,
): Promise<Target> {
  if (kind === "local") return await LocalTarget.open(environment);
  // Loads only where it is needed: a release on this machine needs no cluster.
  const { openKubernetesTarget } = await import("./targets/kubernetes/open.ts");
  return openKubernetesTarget(name, environment, progress);
}

async function candidateOf(options: Options, environment: Environment): Promise<Candidate | undefined> {
  const { image, version, target = environment.release.target } = options;
  if (image === undefined && version === undefined) return undefined;
  return named(image && version ? { image: await artifact(image, target, environment), version } : undefined);
}

function named(candidate: Candidate | undefined): Candidate {
  if (candidate === undefined) throw new UsageError("name both --image and --version, or neither");
  return candidate;
}

function finish(print: Print, result: ReleaseResult): void {
  print({ type: "result", ...result });
  process.exitCode = EXIT_CODES[result.result];
}

/** Anything that a user or an operator can correct is one line. A fault of the engine keeps its stack trace. */
function fail(error: unknown): void {
  const json = process.argv.includes("--json");
  const print = printer(json);
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    // Commander has printed it on standard error for people.
    if (error.exitCode !== 0 && json) finish(print, { result: "usage", reason: error.message.replace(/^error: /, "") });
  } else if (error instanceof TargetUnreachable || error instanceof TargetRefused) {
    finish(print, { result: "not-started", reason: error.message });
  } else if (
    error instanceof UsageError ||
    error instanceof InvalidEnvironment ||
    error instanceof UnknownEnvironment ||
    error instanceof InvalidKubeconfig
  ) {
    finish(print, { result: "usage", reason: error.message });
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    const reason = error instanceof Error ? error.message : String(error);
    finish(print, {
      result: "crash",
      reason: `a fault of this command: ${reason}; check the state with 'release status'`,
    });
  }
}

// A reader such as `head` may close the output early. That is no fault, and a release stops by a listener of its own.
process.stdout.on("error", () => undefined);

// Node's own exit code for an error that nobody awaits is 1, which means `aborted` here.
process.on("uncaughtException", (error) => {
  fail(error);
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
