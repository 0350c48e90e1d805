import type { Color } from "../environment/color.ts";
import type { EngineOptions } from "./engine-options.ts";
import { TargetRefused, TargetUnreachable } from "./errors.ts";
import { difference, sum, type CallHistogram } from "./measure/histogram.ts";

/** A color that got no call for so long has no client left that would notice the end of its pods. */
const QUIET_SECONDS = 5;

type Options = Pick<EngineOptions, "target" | "environment" | "listener" | "signal" | "clock">;

/**
 * Waits before an idle color's pods end until no client calls them any more, `release.keptConnectionsSeconds` at most.
 *
 * A Service moves new connections only. Clients of a server that never ends a connection stay with the pods that they know,
 * and may lose a call when these end. What is cut is reported. It never throws for what it cannot read: an idle color must
 * not keep a release from its end.
 */
export async function waitForKeptConnections(options: Options, color: Color): Promise<void> {
  const { target, environment, listener, signal, clock } = options;
  const mostSeconds = environment.release.keptConnectionsSeconds;
  if (environment.server.connections !== "kept" || target.traffic.byRequest === true || mostSeconds === 0) return;
  const say = (message: string) => {
    listener({ type: "progress", message });
  };
  const deadline = clock.now() + mostSeconds * 1000;
  let before = await read(options, color, say);
  for (let announced = false; before !== undefined; announced = true) {
    const left = deadline - clock.now();
    await clock.sleep(Math.min(QUIET_SECONDS * 1000, Math.max(left, 1000)), signal);
    const now = await read(options, color, say);
    if (now === undefined) return;
    const calls = callsBetween(before, now);
    before = now;
    if (calls === 0) return;
    if (clock.now() >= deadline) {
      say(
        `clients still called ${color} (${calls} calls at the last look): each of them may lose a call when its pods end`,
      );
      return;
    }
    if (!announced) say(`clients still call ${color} over kept connections: its pods stay for up to ${mostSeconds} s`);
  }
}

type Reading = ReadonlyMap<string, CallHistogram>;

async function read(
  { target, signal }: Options,
  color: Color,
  say: (message: string) => void,
): Promise<Reading | undefined> {
  const unknown = `whether clients still call ${color} over kept connections is not known`;
  if (target.measurements === undefined) {
    say(`${unknown}: its server has no metrics`);
    return undefined;
  }
  try {
    // A color without pods has none to end.
    if ((await target.capacity.color(color, signal)).pods.every(({ ready }) => !ready)) return undefined;
    return (await target.measurements.calls(color, signal)).pods;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TargetUnreachable || error instanceof TargetRefused)) throw error;
    say(`${unknown}: ${error.message}`);
    return undefined;
  }
}

function callsBetween(before: Reading, now: Reading): number {
  const known = [...now].flatMap(([pod, calls]) => {
    const earlier = before.get(pod);
    return earlier === undefined ? [] : [difference(earlier, calls)];
  });
  return sum(known).calls;
}
