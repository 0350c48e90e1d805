import type { Pod } from "../ports/capacity.ts";
import { PodWatch } from "../bake/pod-watch.ts";
import type { Gate, GateContext, Verdict } from "./gate.ts";

/**
 * Passes if enough pods of the color are ready, all pods are of the last stage, and none has restarted.
 *
 * A container that crashes repeatedly can look ready at the time of a check. Its restart count does not. Pods beyond those
 * needed may be starting: the autoscaler adds pods, and a node that is drained has its pods replaced.
 */
export const rollout: Gate = {
  name: "rollout",
  phases: ["verify", "bake"],
  begin({ clock }) {
    const watch = new PodWatch(clock);
    return { check: (context) => judge(context, watch) };
  },
  check: (context) => judge(context, new PodWatch(context.clock)),
};

function judge({ snapshot, color, needed, environment }: GateContext, watch: PodWatch): Promise<Verdict> {
  const { pods, problems = [] } = snapshot.colors[color];
  watch.look(pods, needed);
  const broken = pods.flatMap((pod) => [
    ...(pod.current ? [] : [`${pod.name} is of a previous stage`]),
    ...(pod.restarts === 0 ? [] : [`${pod.name} restarted ${pod.restarts} ×`]),
  ]);
  const ready = pods.filter((pod) => pod.ready);
  const count = `${ready.length} of ${needed} needed pods ready`;
  const others = pods.filter((pod) => !pod.ready);
  const say = (outcome: Verdict["outcome"], ...found: readonly string[]) =>
    Promise.resolve({ outcome, evidence: [count, ...found].join("; ") });

  if (broken.length > 0) return say("fail", ...broken, ...problems.map(({ what }) => what));
  if (ready.length >= needed) return say("pass", ...(others.length === 0 ? [] : [`${names(others)} not ready yet`]));

  const silent = others.filter(({ nodeSilent }) => nodeSilent);
  const failing = others.filter((pod) => !pod.nodeSilent && watch.wasReady(pod));
  if (failing.length > 0) return say("fail", `${names(failing)} no longer ready`, ...problems.map(({ what }) => what));
  if (ready.length + silent.length >= needed) {
    return say("inconclusive", `the nodes of ${names(silent)} do not report; a report of theirs decides`);
  }
  const { stageTimeoutSeconds } = environment.release;
  const seconds = Math.round(watch.secondsBelow);
  const waiting = `${seconds} of ${stageTimeoutSeconds} s that a pod may take to start`;
  return seconds >= stageTimeoutSeconds
    ? say("fail", `for ${seconds} s`, ...problems.map(({ what }) => what))
    : say("inconclusive", `waiting for replacements, ${waiting}`, ...problems.map(({ what }) => what));
}

const names = (pods: readonly Pod[]) => pods.map(({ name }) => name).join(", ");
