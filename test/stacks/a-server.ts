import { environment, type Environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";

/** A server that says of itself only what has no default. */
export const BARE = { sessions: "none" } as const;

/** Environment `local` with a server that is not the bundled app, and with whatever else is changed. */
export function withServer(
  server: Record<string, unknown> = {},
  { app, ...rest }: { app?: Record<string, unknown>; [field: string]: unknown } = {},
): Environment {
  return environment({
    ...local,
    server: { ...BARE, ...server },
    scaling: { minReplicas: 2, maxReplicas: 4, cpuPercent: 80 },
    app: { image: "registry.example.com/mcp/server:1.2.3", imagePolicy: "any", ...app },
    ...rest,
  });
}
