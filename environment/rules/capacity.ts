import { isMoreThan } from "../quantity.ts";
import type { Problem, Rule } from "./rule.ts";

const replicas: Rule = {
  reads: ["scaling.minReplicas", "scaling.maxReplicas"],
  problems: ({ scaling: { minReplicas, maxReplicas } }) => {
    if (minReplicas <= maxReplicas) return [];
    const message = `minReplicas (${minReplicas}) must be at most maxReplicas (${maxReplicas})`;
    return [{ path: ["scaling", "minReplicas"], message }];
  },
};

const requestsWithinLimits: Rule = {
  reads: ["app.resources"],
  problems: ({ app: { resources } }) =>
    (["cpu", "memory"] as const).flatMap((kind): Problem[] => {
      const [request, limit] = [resources.requests[kind], resources.limits[kind]];
      if (limit === undefined || !isMoreThan(request, limit)) return [];
      const message = `the request '${request}' must be at most the limit '${limit}': lower it, or raise the limit`;
      return [{ path: ["app", "resources", "requests", kind], message }];
    }),
};

export const capacityRules: readonly Rule[] = [replicas, requestsWithinLimits];
