import type { Environment } from "../../environment/environment.ts";
import { loadEnvironment } from "../../environment/load.ts";
import { artifact } from "../../release/artifact.ts";
import { UsageError } from "../../release/errors.ts";
import { printer } from "../../release/print.ts";
import type { Candidate } from "../../release/rules.ts";
import { runRelease, type Command } from "../../release/run-release.ts";
import { finish } from "../failure.ts";
import type { ChangeOptions } from "../release.ts";
import { openTarget, targetKind } from "./target.ts";

/** The commands that change a target. */
export type Change = Command["do"];

/** Carries out a command, or shows what it would do. Its result becomes the exit code. */
export async function runChange(name: Change, options: ChangeOptions): Promise<void> {
  const environment = await loadEnvironment(options.environment);
  const command = commandOf(name, options, candidateOf(options, environment));
  const print = printer(options.output === "json");
  await using target = await openTarget(options, environment, (message) => {
    print({ type: "progress", message });
  });
  const interrupted = interruption((by) => {
    print({ type: "progress", message: `${by}: stopping` });
  });
  const { signal } = interrupted;
  const takeOver = options.takeOver === true;
  finish(print, await runRelease({ target, environment, command, takeOver, listener: print, signal }));
}

/** Aborts once, on the first signal or when nobody reads the output any more. */
function interruption(onInterrupt: (by: string) => void): AbortController {
  const controller = new AbortController();
  const interrupt = (by: string) => {
    if (controller.signal.aborted) return;
    controller.abort(new Error(`interrupted by ${by}`));
    onInterrupt(by);
  };
  // A terminal and npm both send it; the second one must not end the command half way. A terminal that closes sends SIGHUP.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);
  process.stdout.on("error", () => {
    interrupt("the end of its output");
  });
  return controller;
}

function commandOf(name: Change, options: ChangeOptions, candidate: Candidate | undefined): Command {
  switch (name) {
    case "run":
      return { do: name, ...(candidate && { candidate }) };
    case "stage":
      if (candidate === undefined) throw new UsageError("name both --image and --version");
      return { do: name, candidate };
    case "rollback":
      return { do: name, toChangedStandby: options.toChangedStandby === true };
    case "verify":
    case "promote":
    case "bake":
    case "retire":
      return { do: name };
  }
}

function candidateOf(options: ChangeOptions, environment: Environment): Candidate | undefined {
  const { image, version } = options;
  if (image === undefined && version === undefined) return undefined;
  if (!image || !version) throw new UsageError("name both --image and --version, or neither");
  return { image: artifact(image, targetKind(options, environment), environment), version };
}
