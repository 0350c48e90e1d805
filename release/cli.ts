import { Command, CommanderError, Option } from "commander";
import { InvalidEnvironment, type Environment } from "../environments/environment.ts";
import { loadEnvironment, UnknownEnvironment } from "../environments/load.ts";
import { artifact } from "./artifact.ts";
import { Commands, whoAmI } from "./commands.ts";
import type { ReleaseEvent, ReleaseResult } from "./events.ts";
import { GATES } from "./gates/index.ts";
import { printer, type Print } from "./print.ts";
import type { Candidate } from "./rules.ts";
import { statusOf, writeStatus } from "./status.ts";
import { LeaseHeld, TargetUnreachable, TrafficMoved, UsageError, type Target } from "./target.ts";
import { LocalTarget } from "./targets/local/target.ts";

const EXIT_CODES: Record<ReleaseResult["result"], number> = {
  done: 0,
  refused: 1,
  usage: 2,
  "rolled-back": 3,
  held: 4,
  interrupted: 130,
};

const EXIT_HELP = `
Exit codes: 0 done, 1 refused by a gate, 2 wrong usage, 3 rolled back, 4 held (no data, or nothing to look at), 130 interrupted.
With --json each event is one line on standard output; the last has the type "result".
docs/release.md says what each command does and what happens when it is interrupted.`;

interface Options {
  readonly environment: string;
  readonly target?: Environment["release"]["target"];
  readonly json?: boolean;
  readonly image?: string;
  readonly version?: string;
  readonly takeOver?: boolean;
}

const program = new Command("release")
  .description("Moves traffic to a new version when the idle color has proven itself, and back when it has not.")
  .addHelpText("afterAll", EXIT_HELP)
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
    .option("--json", "one JSON object a line");
}

const candidateOptions = (command: Command, mandatory: boolean) =>
  command
    .addOption(
      new Option("--image <image>", "an image by digest; on this machine, the path of a bundle").makeOptionMandatory(
        mandatory,
      ),
    )
    .addOption(new Option("--version <version>", "the version it will report").makeOptionMandatory(mandatory));

command("status", "show both colors, the traffic, the release, and which settings wait for the next one").action(
  async (options: Options) => {
    const environment = await loadEnvironment(options.environment);
    const target = await open(options, environment);
    writeStatus(statusOf(await target.look(), environment), options.json === true);
    await target.close();
  },
);
candidateOptions(command("stage", "put a version on the idle color"), true).action((options: Options) =>
  release(options, (commands, candidate) => commands.stage(named(candidate))),
);
command("verify", "ask the gates about the idle color").action((options: Options) =>
  release(options, (commands) => commands.verify()),
);
command("promote", "ask the gates again and move the traffic").action((options: Options) =>
  release(options, (commands) => commands.promote()),
);
command("bake", "watch the new color under live traffic, roll back if a gate fails").action((options: Options) =>
  release(options, (commands) => commands.bake()),
);
command("retire", "let the old color shrink to its minimum").action((options: Options) =>
  release(options, (commands) => commands.retire()),
);
command("rollback", "move the traffic back")
  .option("--take-over", "from a command that holds the release, or that died and holds it still")
  .action((options: Options) => release(options, (commands) => commands.rollback()));
candidateOptions(command("run", "all of it; without --image, go on with what is under way"), false).action(
  (options: Options) => release(options, (commands, candidate) => commands.run(candidate)),
);

type Run = (commands: Commands, candidate: Candidate | undefined) => Promise<ReleaseResult>;

async function release(options: Options, run: Run): Promise<void> {
  const print = printer(options.json === true);
  const environment = await loadEnvironment(options.environment);
  const candidate = await candidateOf(options, environment);
  const target = await open(options, environment);
  const interrupted = new AbortController();
  const interrupt = (by: string) => {
    if (interrupted.signal.aborted) return;
    interrupted.abort(new Error(`interrupted by ${by}`));
    print({ type: "progress", message: `${by}: stopping` });
  };
  // From a terminal it comes more than once, from the terminal and from npm: the second one must not end it half way.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  // Nobody reads what it says any more.
  process.stdout.on("error", () => {
    interrupt("the end of its output");
  });

  const lease = await target.lease(whoAmI(), options.takeOver === true);
  const signal = AbortSignal.any([interrupted.signal, lease.lost]);
  const listener = (event: ReleaseEvent) => {
    print(event);
  };
  try {
    finish(print, await run(new Commands({ target, environment, gates: GATES, listener, signal }), candidate));
  } finally {
    await lease.release();
    await target.close();
  }
}

async function open({ environment: name, target }: Options, environment: Environment): Promise<Target> {
  if ((target ?? environment.release.target) === "kubernetes") {
    // Its client alone takes half a second to load.
    const { KubernetesTarget } = await import("./targets/kubernetes/target.ts");
    return new KubernetesTarget(name, environment);
  }
  return await LocalTarget.open(environment);
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

/** What a user or an operator can mend is one line and a code; anything else is a fault of ours and keeps its trace. */
function fail(error: unknown): void {
  const json = process.argv.includes("--json");
  const print = printer(json);
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    // People have read it on standard error by now.
    if (error.exitCode !== 0 && json) finish(print, { result: "usage", reason: error.message.replace(/^error: /, "") });
  } else if (error instanceof TargetUnreachable) {
    finish(print, { result: "held", reason: error.message });
  } else if (error instanceof LeaseHeld || error instanceof TrafficMoved) {
    finish(print, { result: "refused", reason: error.message });
  } else if (
    error instanceof UsageError ||
    error instanceof InvalidEnvironment ||
    error instanceof UnknownEnvironment
  ) {
    finish(print, { result: "usage", reason: error.message });
  } else {
    throw error;
  }
}

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
