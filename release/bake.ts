import { setTimeout as sleep } from "node:timers/promises";
import type { EngineOptions } from "./engine-options.ts";
import { ask, type Answer } from "./gates/ask.ts";
import { LiveWindow } from "./measure/window.ts";
import type { Result } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import { TargetUnreachable, type Snapshot, type Target } from "./target.ts";

interface BakeOptions extends EngineOptions {
  readonly release: ReleaseRecord;
}

/**
 * Watches the new color under live traffic while the old one stands ready.
 *
 * Only looks in which every gate passed count toward the duration, so a release is never retired on time that nobody watched;
 * a bake that is interrupted and resumed starts over for the same reason.
 */
export async function bake(options: BakeOptions): Promise<Result> {
  const { target, environment, gates, release, signal, listener } = options;
  const { durationSeconds, intervalSeconds, failureLimit, holdTimeoutSeconds } = environment.release.bake;
  const asked = gates.filter(({ phases }) => phases.includes("bake"));
  const window = new LiveWindow(target, release.to);
  await window.advance().catch(() => undefined);
  let watchedSeconds = 0;
  let heldSeconds = 0;
  let failedInARow = 0;

  for (;;) {
    await sleep(intervalSeconds * 1000, undefined, { signal });
    const answers: Answer[] = [];
    const snapshot = await keepCapacity(target, release).catch(unreachable);
    if (snapshot instanceof TargetUnreachable) {
      listener({ type: "progress", message: `holding: ${snapshot.message}` });
      heldSeconds += intervalSeconds;
      if (heldSeconds > holdTimeoutSeconds) return { outcome: "hold", reason: snapshot.message };
      continue;
    }
    // Somebody moved the traffic: the next decision is not the bake's to make.
    if (snapshot.live !== release.to) return { outcome: "fail", reason: "traffic was moved back by others" };
    for (const gate of asked) {
      const context = { target, environment, snapshot, color: release.to, version: release.version, signal, window };
      answers.push(await ask(gate, "bake", { ...context, listener }));
    }

    const failed = answers.filter(({ outcome }) => outcome === "fail");
    const held = answers.filter(({ outcome }) => outcome === "hold");
    // A look that holds saw neither: it does not break a row of failures.
    if (failed.length > 0) failedInARow += 1;
    else if (held.length === 0) failedInARow = 0;
    if (failedInARow >= failureLimit) return { outcome: "fail", reason: said(failed) };
    if (held.length > 0) heldSeconds += intervalSeconds;
    if (heldSeconds > holdTimeoutSeconds) return { outcome: "hold", reason: said(held) };
    if (failed.length === 0 && held.length === 0) watchedSeconds += intervalSeconds;
    listener({ type: "progress", message: `watched ${watchedSeconds} of ${durationSeconds} s` });
    if (watchedSeconds >= durationSeconds) return { outcome: "pass", reason: `${watchedSeconds} s without a failure` };
  }
}

/** A deploy in between may have lowered the pins; each look puts them back. */
async function keepCapacity(target: Target, { capacity, from, to }: ReleaseRecord): Promise<Snapshot> {
  const snapshot = await target.look();
  for (const color of [from, to]) {
    if ((snapshot.colors[color].pinned ?? 0) < (capacity ?? 0)) await target.pin(color, capacity);
  }
  return snapshot;
}

function unreachable(error: unknown): TargetUnreachable {
  if (error instanceof TargetUnreachable) return error;
  throw error;
}

const said = (answers: readonly Answer[]) => answers.map(({ gate, evidence }) => `${gate}: ${evidence}`).join("; ");
