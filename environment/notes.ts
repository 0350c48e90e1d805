import { authorizationOff } from "./access.ts";
import type { Environment } from "./environment.ts";

/** What an environment allows and its author should know, a sentence each. A synth prints them. */
export function notes({ server, app, pod, ingress, volumes }: Environment): string[] {
  const off = authorizationOff({ server, app });
  return [
    ...(off === undefined ? [] : [`app.settings: ${off}: anyone who reaches the server may call every tool`]),
    ...(server.sessions === "memory" ? [SESSIONS] : []),
    ...(server.connections === "kept" && ingress === undefined ? [KEPT] : []),
    ...(server.stop.pause === "none" ? [NO_PAUSE] : []),
    ...Object.entries(volumes).flatMap(([name, volume]) => (volume.type === "emptyDir" ? [] : [shared(name, volume)])),
    ...(pod.strategy.type === "Recreate" ? [RECREATE] : []),
  ];
}

const SESSIONS =
  "server.sessions 'memory': a switch ends every session, and its client has to begin a new one; a stateless server " +
  "(FastMCP: FASTMCP_STATELESS_HTTP=true) has none to end";

const KEPT =
  "server.connections 'kept': a Service moves new connections only, so clients stay with the old version until its pods " +
  "end, and may lose a call each; an Ingress chooses for each request";

const NO_PAUSE =
  "server.stop.pause 'none': calls may fail whenever a live pod ends (scale-down, drain, eviction); a switch ends none";

const RECREATE =
  "pod.strategy 'Recreate': a restart of the live color ends all its pods before the first new one is ready; a release " +
  "restarts the idle color only";

const shared = (name: string, { accessMode }: { readonly accessMode: string }) =>
  `volumes.${name}: pods of both versions write to it at the same time` +
  (accessMode === "ReadWriteOnce" ? ", and all of them run on one node" : "");
