import { availableParallelism, cpus, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Act, Played, Stage } from "./acts/act.ts";
import { Ledger, type ActAccount } from "./record/ledger.ts";
import type { Recording } from "./record/recording.ts";
import type { ActResult, Machine, RehearsalResult } from "./record/result.ts";
import { total } from "./record/tally.ts";
import { runRelease } from "./release-command.ts";
import type { OwnServerOptions } from "./server/own-server.ts";
import { prepare, type Setting } from "./setting.ts";
import { VERSIONS } from "./versions/bundles.ts";

export interface RehearsalOptions {
  readonly quick: boolean;
  /** The server to rehearse. @default - the bundled app */
  readonly own?: OwnServerOptions;
  readonly recording: Recording;
  /** Ends everything at once; its reason is then thrown. */
  readonly signal: AbortSignal;
}

/** From the move sent to the last answer of the old color on a new connection. */
const LONGEST_SWITCH_MS = 100;

/** It could not be played to its end; the message says why. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/**
 * Plays all acts on this machine and says how they went. Whatever happens, nothing that it started is left running.
 *
 * @throws BuildFailed, HostFailed, Cancelled, or the signal's reason; of somebody's own server, what ownServer throws
 */
export async function rehearse({ quick, own, recording, signal }: RehearsalOptions): Promise<RehearsalResult> {
  const begun = performance.now();
  const startedAt = new Date().toISOString();
  const ledger = new Ledger(recording);
  const death = new AbortController();
  const stop = AbortSignal.any([signal, death.signal]);
  const onDeath = (why: string): void => {
    death.abort(new Cancelled(why));
  };

  try {
    await using setting = await prepare({ quick, ...(own && { own }), recording, ledger, signal: stop, onDeath });
    const { subject } = setting;
    const stage = createStage(quick, setting, ledger, recording, stop);
    const acts: ActResult[] = [];
    for (const act of subject.acts) {
      stop.throwIfAborted();
      acts.push(await play(act, stage, setting, ledger, recording));
    }
    const totals = ledger.totals();
    const problems = acts.flatMap(({ number, problems }) => problems.map((problem) => `act ${number}: ${problem}`));
    const { leastCalls = 0, skipped } = subject;
    if (!quick && totals.calls < leastCalls) {
      problems.push(`there had to be ${leastCalls} calls, and were ${totals.calls}`);
    }
    const ok = problems.length === 0;
    recording.add({ type: "curtain", ok, problems });
    return { ok, problems, quick, startedAt, seconds: since(begun), machine: machine(), totals, acts, skipped };
  } catch (error) {
    throw stop.aborted ? stop.reason : error;
  }
}

async function play(
  act: Act,
  stage: Stage,
  { traffic, watch }: Setting,
  ledger: Ledger,
  recording: Recording,
): Promise<ActResult> {
  const { number, title, story, about } = act;
  const begun = performance.now();
  recording.add({ type: "act", act: number, state: "begins" });
  const played = await act.play(stage);
  await traffic.flush();
  const account = ledger.closeAct();
  const problems = [...judge(act, played, account), ...watch.takeFaults()];
  const ok = problems.length === 0;
  const { release, outcome } = played;
  recording.add({ type: "act", act: number, state: ok ? "went well" : "went wrong", outcome });
  return {
    number,
    title,
    story,
    about,
    ok,
    problems,
    outcome,
    seconds: since(begun),
    ...account,
    ...(release && { release }),
  };
}

function judge(act: Act, played: Played, account: ActAccount): string[] {
  const { calls, failures, failedCalls, switches } = account;
  const failed = total(failures);
  const first = failedCalls[0];
  return [
    ...played.problems,
    ...(calls === 0 ? ["there was no traffic"] : []),
    ...(failed > 0
      ? [`${failed} of ${calls} calls failed (${Object.keys(failures).join(", ")}), the first: ${first?.message ?? ""}`]
      : []),
    ...switches
      .filter(({ lastOldAnswerMs }) => lastOldAnswerMs > LONGEST_SWITCH_MS)
      .map(
        ({ kind, from, lastOldAnswerMs }) =>
          `${lastOldAnswerMs} ms after the ${kind}, ${from} still answered on a new connection`,
      ),
    ...(act.check?.(account) ?? []),
  ];
}

function createStage(
  quick: boolean,
  { subject, watch }: Setting,
  ledger: Ledger,
  recording: Recording,
  signal: AbortSignal,
): Stage {
  return {
    quick,
    release: (name) =>
      runRelease({
        environment: subject.file,
        image: subject.images[name],
        version: VERSIONS[name].version,
        onEvent: (event) => {
          if (event.type === "phase" && event.phase === "stage") watch.learn(event.to, event.version);
          ledger.hearRelease(event);
        },
        signal,
      }),
    weatherBecomes(mood) {
      subject.weather?.become(mood);
      recording.add({ type: "weather", mood });
    },
    breakers: () => watch.breakers,
    calls: () => ledger.calls,
    linger: (seconds) => sleep(seconds * 1000, undefined, { signal }),
    async until(holds, timeoutSeconds) {
      const deadline = performance.now() + timeoutSeconds * 1000;
      while (!holds() && performance.now() < deadline) await sleep(100, undefined, { signal });
      return holds();
    },
  };
}

/** Seconds since then, to the millisecond. */
const since = (then: number): number => Math.round(performance.now() - then) / 1000;

function machine(): Machine {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}
