import type { Gate } from "./gate.ts";

/**
 * Passes if every pod of the color is ready, is of the last stage, and has not restarted.
 *
 * A container that crashes repeatedly can look ready at the time of a check. Its restart count does not.
 */
export const rollout: Gate = {
  name: "rollout",
  phases: ["verify", "bake"],
  check({ snapshot, color }) {
    const { pods, desired, problems = [] } = snapshot.colors[color];
    if (pods.length === 0) return inconclusive(`${color} has no pods`);
    const found = pods.flatMap((pod) => [
      ...(pod.ready ? [] : [`${pod.name} is not ready`]),
      ...(pod.current ? [] : [`${pod.name} is of a previous stage`]),
      ...(pod.restarts === 0 ? [] : [`${pod.name} restarted ${pod.restarts} ×`]),
    ]);
    if (pods.length < desired) found.push(`${pods.length} of ${desired} pods exist`);
    return Promise.resolve(
      found.length === 0
        ? { outcome: "pass", evidence: `${pods.length} pods ready, none restarted` }
        : { outcome: "fail", evidence: [...found, ...problems.map(({ what }) => what)].join(", ") },
    );
  },
};

const inconclusive = (evidence: string) => Promise.resolve({ outcome: "inconclusive" as const, evidence });
