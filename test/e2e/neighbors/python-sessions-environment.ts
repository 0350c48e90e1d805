import { environment } from "../../../environment/environment.ts";
import stateless from "./python-environment.ts";

const settings = Object.entries(stateless.app.settings).filter(([name]) => name !== "FASTMCP_STATELESS_HTTP");

/** The same server as it comes: with sessions in memory, and so with one pod for each color. */
export default environment({
  ...stateless,
  server: { ...stateless.server, sessions: "memory", protocolVersions: ["2025-11-25"] },
  app: { ...stateless.app, settings: Object.fromEntries(settings) },
  scaling: { replicas: 1 },
});
