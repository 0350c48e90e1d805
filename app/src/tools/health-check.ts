import { z } from "zod";
import { healthReport } from "../health/health.ts";
import type { Services } from "../services.ts";
import { answer, type Tool } from "./tool.ts";

/**
 * The pod's health, as in `/health`, but without upstreams that clients have found, because they
 * show what other clients call.
 */
export function healthCheck({ health, outbound }: Pick<Services, "health" | "outbound">): Tool {
  return {
    name: "health_check",
    title: "Health check",
    description:
      "Health of this server, of each service that it depends on and of its resources, with its version and color.",
    inputSchema: z.object({}, "must be an object; it takes no arguments"),
    outputSchema: healthReport,
    annotations: { readOnlyHint: true, openWorldHint: false },
    handle() {
      const report = health.report();
      const shown = Object.entries(report.dependencies).filter(
        ([name]) => !outbound.upstreams.isFoundByClient({ name }),
      );
      const dependencies = shown.map(
        ([name, { status, detail }]) => `${name} is ${status}${detail === undefined ? "" : ` (${detail})`}`,
      );
      return answer(
        { ...report, dependencies: Object.fromEntries(shown) },
        [
          `${report.status}, version ${report.version}, color ${report.color}`,
          ...dependencies,
          ...report.system.reasons,
        ].join("; "),
      );
    },
  };
}
