import type { EngineOptions } from "./engine-options.ts";
import { TargetRefused, TargetUnreachable } from "./errors.ts";
import { ask, type Answer } from "./gates/ask.ts";
import type { Result } from "./machine.ts";
import { PodWatch } from "./measure/pod-watch.ts";
import { LiveWindow } from "./measure/window.ts";
import type { ReleaseRecord } from "./record.ts";
import { observe, readyPods, type Snapshot } from "./snapshot.ts";

interface BakeOptions extends EngineOptions {
  readonly release: ReleaseRecord;
}

/**
 * Monitors the new color under live traffic while the old one is ready for a rollback.
 *
 * Only checks in which every gate passed count toward the duration, so no release retires after a time that nobody
 * monitored. A bake that is interrupted and resumed starts over for the same reason.
 */
export async function bake(options: BakeOptions): Promise<Result> {
  const { target, environment, gates, release, signal, listener, clock } = options;
  const { durationSeconds, intervalSeconds, failureLimit, holdTimeoutSeconds } = environment.release.bake;
  const asked = gates.filter(({ phases }) => phases.includes("bake"));
  const needed = release.capacity ?? 1;
  const watch = new PodWatch(clock);
  const window = new LiveWindow(target.measurements, release.to);
  await window.advance(signal).catch(() => undefined);
  let watchedSeconds = 0;
  let pausedSeconds = 0;
  let failedInARow = 0;
  let checkedAt = clock.now();

  for (;;) {
    await clock.sleep(intervalSeconds * 1000, signal);
    const answers: Answer[] = [];
    const snapshot = await keepCapacity(options).catch(outOfReach);
    // A check that waited for an answer took longer than its interval.
    const elapsedSeconds = (clock.now() - checkedAt) / 1000;
    checkedAt = clock.now();
    if (snapshot instanceof Error) {
      listener({ type: "progress", message: `paused: ${snapshot.message}` });
      pausedSeconds += elapsedSeconds;
      if (pausedSeconds > holdTimeoutSeconds) return { outcome: "inconclusive", reason: snapshot.message };
      continue;
    }
    // Others moved the traffic: the bake has nothing left to decide.
    if (snapshot.live !== release.to) return { outcome: "fail", reason: "others moved the traffic back" };
    watch.look(snapshot.colors[release.to].pods, needed);
    const of = { color: release.to, version: release.version, needed, watch, window };
    for (const gate of asked) {
      answers.push(await ask(gate, "bake", { target, environment, snapshot, signal, listener, clock, ...of }));
    }

    const failed = answers.filter(({ outcome }) => outcome === "fail");
    const unclear = answers.filter(({ outcome }) => outcome === "inconclusive");
    // An inconclusive check neither adds to a row of failures nor breaks it.
    if (failed.length > 0) failedInARow += 1;
    else if (unclear.length === 0) failedInARow = 0;
    if (failedInARow >= failureLimit) return { outcome: "fail", reason: inWords(failed) };
    if (unclear.length > 0) pausedSeconds += elapsedSeconds;
    if (pausedSeconds > holdTimeoutSeconds) return { outcome: "inconclusive", reason: inWords(unclear) };
    if (failed.length === 0 && unclear.length === 0) watchedSeconds += intervalSeconds;
    listener({ type: "progress", message: `monitored ${watchedSeconds} of ${durationSeconds} s` });
    if (watchedSeconds >= durationSeconds) return { outcome: "pass", reason: `${watchedSeconds} s without a failure` };
  }
}

/**
 * Keeps the new color at the capacity that it was promoted with, and the old one at what carries the traffic now, so that
 * a rollback never lands on less. A deploy during the bake may have lowered the minimums; each check restores them.
 */
async function keepCapacity({ target, authority, release, signal }: BakeOptions): Promise<Snapshot> {
  const { capacity = 0, from, to } = release;
  const snapshot = await observe(target, signal);
  const wanted = { [to]: capacity, [from]: Math.max(capacity, readyPods(snapshot, to)) };
  for (const color of [from, to]) {
    const { minimum, desired, maximum = Infinity } = snapshot.colors[color];
    const pods = Math.min(wanted[color] ?? 0, maximum);
    // The autoscaler of a color at 0 is off, whatever its minimum.
    if (minimum >= pods && desired > 0) continue;
    await target.capacity.hold(color, pods, authority.fence, signal);
  }
  return snapshot;
}

/** Neither an outage nor a missing right says anything about the new version. */
function outOfReach(error: unknown): Error {
  if (error instanceof TargetUnreachable || error instanceof TargetRefused) return error;
  throw error;
}

const inWords = (answers: readonly Answer[]) => answers.map(({ gate, evidence }) => `${gate}: ${evidence}`).join("; ");
