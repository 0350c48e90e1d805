import type { EngineOptions } from "../engine-options.ts";
import { StateChanged, TargetRefused, TargetUnreachable, UsageError } from "../errors.ts";
import { ask, type Answer } from "../gates/ask.ts";
import { LONGEST_WANTED_DELAY_MS } from "../outage.ts";
import type { Result } from "../machine.ts";
import type { ReleaseRecord } from "../record.ts";
import { observe, type Snapshot } from "../snapshot.ts";
import { keepCapacity } from "./keep-capacity.ts";

export interface BakeOptions extends EngineOptions {
  readonly release: ReleaseRecord;
}

/** A bake whose calls are not enough when its time is over goes on, up to this multiple of its duration. */
const LONGEST = 2;

const TELL_EVERY_SECONDS = 5;

/** Stands for a gate's name where the target itself did not answer. */
const TARGET = "target";

/**
 * Monitors the new color under live traffic while the old one is ready for a rollback.
 *
 * Only checks in which every gate passed count toward the duration, so no release retires after a time that nobody
 * monitored. A bake that is interrupted and resumed starts over for the same reason.
 */
export async function bake(options: BakeOptions): Promise<Result> {
  const over = new AbortController();
  try {
    return await monitor({ ...options, signal: AbortSignal.any([options.signal, over.signal]) });
  } finally {
    // Ends what gates do between two checks.
    over.abort();
  }
}

async function monitor(options: BakeOptions): Promise<Result> {
  const { target, environment, gates, release, signal, listener, clock } = options;
  const { durationSeconds, intervalSeconds, failureLimit, holdTimeoutSeconds } = environment.release.bake;
  const of = { target, environment, color: release.to, version: release.version, signal, clock, listener };
  const asked = gates
    .filter(({ phases }) => phases.includes("bake"))
    .map((gate) => ({ gate, check: gate.begin?.(of) ?? gate }));
  let watchedSeconds = 0;
  let toldAt = 0;
  let pausedSeconds = 0;
  let failures = 0;
  let checkedAt = clock.now();
  let waitMs = intervalSeconds * 1000;

  for (;;) {
    await clock.sleep(waitMs, signal);
    const snapshot = await observe(target, signal).catch(outOfReach);
    waitMs = Math.max(intervalSeconds * 1000, retryAfterMs(snapshot));
    // Others moved the traffic: the bake has nothing left to decide.
    if (!(snapshot instanceof Error) && snapshot.live !== release.to) {
      return { outcome: "fail", reason: "others moved the traffic back" };
    }
    const answers = snapshot instanceof Error ? [unclear(snapshot)] : await check(snapshot);
    // A check that waited for an answer took longer than its interval.
    const elapsedSeconds = (clock.now() - checkedAt) / 1000;
    checkedAt = clock.now();

    const failed = answers.filter(({ outcome }) => outcome === "fail");
    const paused = answers.filter(({ outcome }) => outcome === "inconclusive");
    // A pass takes back one failure, so that a gate that fails most of the time does not pass by the others.
    if (failed.length > 0) failures += 1;
    else if (paused.length === 0) failures = Math.max(0, failures - 1);
    if (failures >= failureLimit || failed.some(({ final }) => final))
      return { outcome: "fail", reason: inWords(failed) };
    if (paused.length > 0) {
      pausedSeconds += elapsedSeconds;
      listener({ type: "progress", message: `paused: ${inWords(paused)}` });
      if (pausedSeconds > holdTimeoutSeconds) return { outcome: "inconclusive", reason: inWords(paused) };
    }
    if (failed.length > 0 || paused.length > 0) continue;

    watchedSeconds += intervalSeconds;
    const undecided = answers.filter(({ needsMore }) => needsMore);
    const isOver = watchedSeconds >= durationSeconds;
    if (isOver || watchedSeconds - toldAt >= TELL_EVERY_SECONDS) {
      toldAt = watchedSeconds;
      const calls = answers.find(({ needsMore }) => needsMore !== undefined)?.evidence;
      const message = `monitored ${round(watchedSeconds)} of ${durationSeconds} s`;
      listener({ type: "progress", message: calls === undefined ? message : `${message}: ${calls}` });
    }
    if (!isOver) continue;
    if (undecided.length === 0) return { outcome: "pass", reason: `${round(watchedSeconds)} s without a failure` };
    if (watchedSeconds >= LONGEST * durationSeconds) return { outcome: "fail", reason: inWords(undecided) };
  }

  async function check(snapshot: Snapshot): Promise<Answer[]> {
    const answers: Answer[] = [];
    // Pods that cannot be kept are no reason to leave live traffic unmonitored.
    const held = await keepCapacity(options, snapshot).catch(outOfReach);
    if (held instanceof Error) answers.push(unclear(held));
    const needed = release.capacity ?? 1;
    const context = { ...of, snapshot, needed, remainingSeconds: Math.max(0, durationSeconds - watchedSeconds) };
    for (const { gate, check } of asked) answers.push(await ask(gate, "bake", context, check));
    return answers;
  }
}

/** Neither an outage, nor a missing right, nor what others do to the objects says anything about the new version. */
function outOfReach(error: unknown): Error {
  const kinds = [TargetUnreachable, TargetRefused, StateChanged, UsageError];
  if (error instanceof Error && kinds.some((kind) => error instanceof kind)) return error;
  throw error;
}

const unclear = ({ message }: Error): Answer => ({ gate: TARGET, outcome: "inconclusive", evidence: message });

function retryAfterMs(found: Snapshot | Error): number {
  const { retryAfterMs = 0 } = found instanceof TargetUnreachable ? found : {};
  return Math.min(retryAfterMs, LONGEST_WANTED_DELAY_MS);
}

function inWords(answers: readonly Answer[]): string {
  return answers.map(({ gate, evidence }) => (gate === TARGET ? evidence : `${gate}: ${evidence}`)).join("; ");
}

const round = (seconds: number) => Number(seconds.toFixed(1));
