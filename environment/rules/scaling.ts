import type { Problem, Rule } from "./rule.ts";

const METRICS = ["cpuPercent", "memoryPercent", "requestsPerPod"] as const;

const boundsInOrder: Rule = {
  reads: ["scaling.minReplicas", "scaling.maxReplicas"],
  problems: ({ scaling: { minReplicas, maxReplicas } }) => {
    if (!(minReplicas > maxReplicas)) return [];
    const message = `minReplicas (${minReplicas}) must be at most maxReplicas (${maxReplicas})`;
    return [{ path: ["scaling", "minReplicas"], message }];
  },
};

/** A fixed number leaves nothing to scale. */
const fixedOrScaled: Rule = {
  reads: ["scaling"],
  problems: ({ scaling }) => {
    const { replicas, minReplicas, maxReplicas } = scaling;
    if (replicas === undefined) return [];
    const others = [
      ...(["minReplicas", "maxReplicas"] as const).filter((name) => scaling[name] !== replicas),
      ...METRICS.filter((name) => scaling[name] !== undefined),
    ];
    if (others.length === 0) return [];
    const message =
      `is a fixed number of pods, and ${others.join(", ")} would have no effect: ` +
      `remove it, or 'replicas' (${minReplicas} to ${maxReplicas} pods)`;
    return [{ path: ["scaling", "replicas"], message }];
  },
};

/** Scaling never silently does nothing. */
const scaledBySomething: Rule = {
  reads: ["scaling"],
  problems: ({ scaling }) => {
    const { minReplicas, maxReplicas } = scaling;
    if (minReplicas >= maxReplicas || METRICS.some((name) => scaling[name] !== undefined)) return [];
    const message =
      `nothing would scale between ${minReplicas} and ${maxReplicas} pods: add cpuPercent, memoryPercent, or ` +
      "requestsPerPod with latencyObjectiveMs; or say { replicas: … }";
    return [{ path: ["scaling"], message }];
  },
};

const requestsWithObjective: Rule = {
  reads: ["scaling.requestsPerPod", "scaling.latencyObjectiveMs"],
  problems: ({ scaling: { requestsPerPod, latencyObjectiveMs } }) => {
    if ((requestsPerPod === undefined) === (latencyObjectiveMs === undefined)) return [];
    const [missing, given] =
      requestsPerPod === undefined
        ? ["requestsPerPod", "latencyObjectiveMs"]
        : ["latencyObjectiveMs", "requestsPerPod"];
    return [{ path: ["scaling", missing], message: `is missing: it goes with ${given}` }];
  },
};

const requestsAreMeasured: Rule = {
  reads: ["scaling.requestsPerPod", "server.metrics"],
  problems: ({ scaling: { requestsPerPod }, server: { metrics } }): Problem[] => {
    if (requestsPerPod === undefined || metrics !== undefined) return [];
    const message = "needs metrics of the server: describe them in server.metrics, or scale by cpuPercent";
    return [{ path: ["scaling", "requestsPerPod"], message }];
  },
};

export const scalingRules: readonly Rule[] = [
  boundsInOrder,
  fixedOrScaled,
  scaledBySomething,
  requestsWithObjective,
  requestsAreMeasured,
];
