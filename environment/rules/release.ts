import { bundledServer } from "../bundled-server.ts";
import { BOUNDS_MS } from "../schema/release.ts";
import type { Problem, Rule } from "./rule.ts";

/** The bundled app counts calls by known bounds. Another server's are known at a release, which names what it uses. */
const limitIsBound: Rule = {
  reads: ["server.metrics", "release.metrics", "release.bake"],
  problems: ({ server, release }) =>
    server.metrics?.histogram !== bundledServer().metrics.histogram
      ? []
      : (["metrics", "bake"] as const)
          .filter((part) => !BOUNDS_MS.includes(release[part].maxP95Ms))
          .map((part): Problem => {
            const bounds = BOUNDS_MS.join(", ");
            const message = `must be a bound of the app's histogram, because calls are only counted by these: ${bounds}`;
            return { path: ["release", part, "maxP95Ms"], message };
          }),
};

export const releaseRules: readonly Rule[] = [limitIsBound];
