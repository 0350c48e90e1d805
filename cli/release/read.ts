import { loadEnvironment } from "../../environment/load.ts";
import { userFolder } from "../../environment/user-folder.ts";
import { writeHistory } from "../../release/history.ts";
import { readStatus, writeStatus } from "../../release/status.ts";
import { interrupted } from "../interrupted.ts";
import { withProgress } from "../progress.ts";
import type { TargetOptions } from "../release.ts";
import { openTarget } from "./target.ts";

export async function status(options: TargetOptions): Promise<void> {
  const environment = await loadEnvironment(options.environment, userFolder(), options.context);
  await using target = await openTarget(options, environment);
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
