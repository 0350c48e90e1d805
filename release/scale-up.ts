import type { Color } from "../environment/color.ts";
import type { EngineOptions } from "./engine-options.ts";
import { TargetUnreachable } from "./errors.ts";
import type { Result } from "./machine.ts";
import type { ReleaseRecord } from "./record.ts";
import { readyIn } from "./snapshot.ts";

/**
 * Waits until a color has enough ready pods, all of them of the last stage.
 *
 * Ends early if the target says that waiting cannot help, for instance because there is no such image.
 */
export async function waitForPods(
  { target, environment, listener, signal, clock }: EngineOptions,
  { phase }: ReleaseRecord,
  color: Color,
  pods: number,
): Promise<Result> {
  const { stageTimeoutSeconds } = environment.release;
  const deadline = clock.now() + stageTimeoutSeconds * 1000;
  // A rollback cannot fail: the traffic would stay where it is. A person decides.
  const outcome = phase === "rollback" ? "inconclusive" : "fail";
  let shown = "";
  for (;;) {
    const { message, ready, final } = await check().catch(outOfReach);
    if (message !== shown) listener({ type: "progress", message });
    shown = message;
    if (ready) return { outcome: "pass", reason: "" };
    if (final) return { outcome, reason: message };
    if (clock.now() > deadline) return { outcome, reason: `${message} after ${stageTimeoutSeconds} s` };
    await clock.sleep(target.capacity.checkEveryMs, signal);
  }

  async function check() {
    const state = await target.capacity.color(color, signal);
    const { rollingOut = false, problems = [] } = state;
    const count = readyIn(state);
    const ready = count >= pods && !rollingOut;
    const old = rollingOut ? ", pods of the previous stage among them" : "";
    const why = ready ? [] : problems.map(({ what }) => what);
    const message = [`${color}: ${count} of ${pods} pods ready${old}`, ...why].join("; ");
    return { message, ready, final: !ready && problems.some(({ final }) => final) };
  }

  function outOfReach(error: unknown) {
    if (!(error instanceof TargetUnreachable)) throw error;
    return { message: error.message, ready: false, final: false };
  }
}
