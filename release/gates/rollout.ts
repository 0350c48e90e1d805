import type { Gate } from "./gate.ts";

/**
 * Passes when every pod of the color is ready, runs what was staged, and has not restarted since.
 *
 * A container that crashes and comes back looks ready most of the time; the count is what remembers.
 */
export const rollout: Gate = {
  name: "rollout",
  phases: ["verify", "bake"],
  check({ snapshot, color }) {
    const { pods, desired, image } = snapshot.colors[color];
    if (pods.length === 0) return hold(`no pods of ${color} to look at`);
    const problems = pods.flatMap((pod) => [
      ...(pod.ready ? [] : [`${pod.name} is not ready`]),
      ...(pod.image === image ? [] : [`${pod.name} still runs ${pod.image}`]),
      ...(pod.restarts === 0 ? [] : [`${pod.name} restarted ${pod.restarts} ×`]),
    ]);
    if (pods.length < desired) problems.push(`${pods.length} of ${desired} pods exist`);
    return Promise.resolve(
      problems.length === 0
        ? { outcome: "pass", evidence: `${pods.length} pods ready, none restarted` }
        : { outcome: "fail", evidence: problems.join(", ") },
    );
  },
};

const hold = (evidence: string) => Promise.resolve({ outcome: "hold" as const, evidence });
