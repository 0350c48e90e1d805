import { erasOf, withClient } from "../measure/client.ts";
import { smokeCall } from "../measure/smoke-call.ts";
import type { ContractContext, ContractLine } from "./line.ts";

const what = "stop";

/** Calls under way when the pod is told to stop, one after the other in each session. */
const SESSIONS = 4;

/** Calls go on for so long after that. */
const WATCH_MS = 3000;

/**
 * Whether calls are answered while a pod stops: one pod of the idle color is ended as a scale-down ends it, under calls.
 *
 * @param endPod whether it may be. Otherwise only the description is read
 */
export async function stop(context: ContractContext, endPod: boolean): Promise<readonly ContractLine[]> {
  const { stop } = context.environment.server;
  if (stop.pause === "none") {
    const without = "calls may fail whenever a live pod ends (scale-down, drain, eviction); a switch ends none";
    return [{ what, found: "lacks", evidence: "server.stop.pause 'none'", without }];
  }
  const { endPod: end } = context.target.probe;
  const declared = `a pause of ${stop.pauseSeconds} s before ${stop.signal} is declared`;
  if (!endPod || end === undefined) {
    const how =
      end === undefined
        ? "this target cannot end one pod"
        : "with --end-pod, a pod of the idle color is ended under calls";
    return [{ what, found: "unknown", evidence: `${declared}; ${how}` }];
  }
  return [await underCalls(context, (pod) => end(context.color, pod, context.signal), declared)];
}

async function underCalls(
  { environment, endpoint, state, signal }: ContractContext,
  end: (pod: string) => Promise<void>,
  declared: string,
): Promise<ContractLine> {
  const pod = state.pods.find(({ ready }) => ready);
  if (pod === undefined || state.pods.length < 2) {
    return { what, found: "unknown", evidence: `${declared}; ending a pod needs a second one that takes the calls` };
  }
  const { smoke } = environment.release;
  const [era = "legacy"] = erasOf(environment.server);
  const load = { over: false, calls: 0, failed: 0 };
  const session = async () => {
    while (!load.over) {
      const ok = await withClient(endpoint, era, signal, (client) => smokeCall(client, smoke, signal)).then(
        ({ wrong }) => wrong === undefined,
        () => false,
      );
      signal.throwIfAborted();
      load.calls += 1;
      if (!ok) load.failed += 1;
    }
  };
  const sessions = Array.from({ length: SESSIONS }, session);
  await end(pod.name);
  const timer = setTimeout(() => {
    load.over = true;
  }, WATCH_MS);
  try {
    await Promise.all(sessions);
  } finally {
    load.over = true;
    clearTimeout(timer);
  }
  const evidence = `${pod.name} was ended under ${load.calls} calls, ${load.failed} failed`;
  if (load.failed === 0) return { what, found: "ok", evidence };
  return {
    what,
    found: "wrong",
    evidence,
    without: "a call or three may be lost whenever a live pod ends; see server.stop",
  };
}
