import { loadEnvironment } from "../../environment/load.ts";
import { userFolder } from "../../environment/user-folder.ts";
import { printer } from "../../release/print.ts";
import { writeHistory } from "../../release/history.ts";
import { readStatus, writeStatus } from "../../release/status.ts";
import { waitUntilReady } from "../../release/wait-ready.ts";
import { finish } from "../failure.ts";
import { interrupted } from "../interrupted.ts";
import { withProgress } from "../progress.ts";
import type { StatusOptions, TargetOptions } from "../release.ts";
import { openTarget } from "./target.ts";

/** Shows the state of a target, if wanted once its pods are ready. */
export async function status(options: StatusOptions): Promise<void> {
  const environment = await loadEnvironment(options.environment, userFolder(), options.context);
  await using target = await openTarget(options, environment);
  if (options.wait !== undefined) {
    const timeoutSeconds = options.wait === true ? environment.release.stageTimeoutSeconds : options.wait;
    const progress = (message: string) => process.stderr.write(`${message}\n`);
    const { capacity } = target;
    const hanging = await waitUntilReady({ capacity, environment, timeoutSeconds, progress });
    if (hanging !== undefined) {
      finish(printer(options.output === "json"), { result: "not-ready", reason: hanging });
      return;
    }
  }
  const read = readStatus(target, environment);
  writeStatus(await withProgress("reading the target", options.output, read), options.output === "json");
}

export async function history(options: TargetOptions): Promise<void> {
  const environment = await loadEnvironment(options.environment, userFolder(), options.context);
  await using target = await openTarget(options, environment);
  const read = target.records.history();
  writeHistory(await withProgress("reading the target", options.output, read), options.output === "json");
}

/** Serves the page until a signal ends the command. */
export async function watch(options: TargetOptions & { readonly port: number }): Promise<void> {
  const environment = await loadEnvironment(options.environment, userFolder(), options.context);
  await using target = await openTarget(options, environment);
  const { watchTarget } = await import("../../rehearse/watch.ts");
  const onReady = (url: string) => {
    const json = options.output === "json";
    process.stdout.write(json ? `${JSON.stringify({ type: "ready", url })}\n` : `${url} (Ctrl-C ends it)\n`);
  };
  await watchTarget({ target, environment, port: options.port, signal: interrupted(), onReady });
}
