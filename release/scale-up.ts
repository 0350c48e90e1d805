import type { EngineOptions } from "./engine-options.ts";
import { TargetUnreachable } from "./errors.ts";
import type { Result, ScaleUp } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import { readyIn } from "./snapshot.ts";

/**
 * How long a rollback waits for the last pods of a color that was kept as large as the traffic needs. Each second more is a
 * second with a version that fails.
 */
const ROLLBACK_PATIENCE_SECONDS = 30;

/**
 * Waits until a color has enough ready pods, all of them of the last stage.
 *
 * Ends early if the target says that waiting cannot help, for instance because there is no such image.
 */
export async function waitForPods(
  { target, environment, listener, signal, clock }: EngineOptions,
  { phase }: ReleaseRecord,
  { color, ready: pods, atLeast = pods }: ScaleUp,
): Promise<Result> {
  const { stageTimeoutSeconds } = environment.release;
  const deadline = clock.now() + stageTimeoutSeconds * 1000;
  const patience = clock.now() + Math.min(stageTimeoutSeconds, ROLLBACK_PATIENCE_SECONDS) * 1000;
  // A rollback cannot fail: the traffic would stay where it is. A person decides.
  const outcome = phase === "rollback" ? "inconclusive" : "fail";
  let shown = "";
  for (;;) {
    const { message, count, ready, final } = await check().catch(outOfReach);
    if (message !== shown) listener({ type: "progress", message });
    shown = message;
    if (ready) return { outcome: "pass", reason: "" };
    if (atLeast < pods && count >= atLeast && (final || clock.now() > patience))
      return { outcome: "pass", reason: message };
    if (final) return { outcome, reason: message };
    if (clock.now() > deadline) return { outcome, reason: `${message} after ${stageTimeoutSeconds} s` };
    await clock.sleep(target.capacity.checkEveryMs, signal);
  }

  async function check() {
    const state = await target.capacity.color(color, signal);
    const { rollingOut = false, problems = [], maximum = Infinity } = state;
    const count = readyIn(state);
    const ready = count >= pods && !rollingOut;
    const old = rollingOut ? ", pods of the previous stage among them" : "";
    const bounded = maximum < pods ? [`${color} may have at most ${maximum} pods; raise scaling.maxReplicas`] : [];
    const why = ready ? [] : [...bounded, ...problems.map(({ what }) => what)];
    const message = [`${color}: ${count} of ${pods} pods ready${old}`, ...why].join("; ");
    // What a rollout in progress still has of the old pods does not count.
    const own = state.pods.filter(({ ready, current }) => ready && current).length;
    return { message, count: own, ready, final: !ready && (maximum < pods || problems.some(({ final }) => final)) };
  }

  function outOfReach(error: unknown) {
    if (!(error instanceof TargetUnreachable)) throw error;
    return { message: error.message, count: 0, ready: false, final: false };
  }
}
