import { addedContainers } from "../containers.ts";
import type { Environment } from "../environment.ts";
import { isMoreThan } from "../quantity.ts";
import type { Problem, Rule } from "./rule.ts";

const withinLimits = (path: readonly (string | number)[], resources: Environment["app"]["resources"]): Problem[] =>
  (["cpu", "memory"] as const).flatMap((kind) => {
    const [request, limit] = [resources.requests[kind], resources.limits[kind]];
    if (limit === undefined || !isMoreThan(request, limit)) return [];
    const message = `the request '${request}' must be at most the limit '${limit}': lower it, or raise the limit`;
    return [{ path: [...path, "resources", "requests", kind], message }];
  });

export const resourceRules: readonly Rule[] = [
  { reads: ["app.resources"], problems: ({ app }) => withinLimits(["app"], app.resources) },
  {
    reads: ["pod.sidecars", "pod.initContainers"],
    problems: (environment) =>
      addedContainers(environment).flatMap(({ path, resources }) => withinLimits(path, resources)),
  },
];
