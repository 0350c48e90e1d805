import { erasOf } from "../measure/client.ts";
import type { ContractCheck, ContractContext, ContractLine } from "./line.ts";
import { initialize, rawCall } from "./raw-call.ts";

const SESSION = "mcp-session-id";

const STATELESS =
  "turn sessions off in the server (FastMCP: FASTMCP_STATELESS_HTTP=true), or say server.sessions 'memory'";
const SWITCH = "a switch ends every session, and its client has to begin a new one";

/** Whether the server keeps sessions, and whether a second pod then knows them. Only the 2025 revisions have sessions. */
export const sessions: ContractCheck = async (context) => {
  const { environment, endpoint, signal } = context;
  const version = environment.server.protocolVersions.find(
    (one) => erasOf({ protocolVersions: [one] })[0] === "legacy",
  );
  const what = "sessions";
  if (version === undefined) return [{ what, found: "ok", evidence: "the declared protocol versions have none" }];
  const { status, headers } = await initialize(endpoint, version, signal);
  const session = headers.get(SESSION);
  const declared = environment.server.sessions;
  if (session === null) {
    if (status >= 400) return [{ what, found: "unknown", evidence: `initialize: HTTP ${status}` }];
    const evidence = `no ${SESSION} header: any pod answers any request`;
    return [
      declared === "none"
        ? { what, found: "ok", evidence }
        : {
            what,
            found: "wrong",
            evidence,
            without: "say server.sessions 'none': sessions cost affinity or all pods but one",
          },
    ];
  }
  return [await withSession(context, session, version, declared)];
};

async function withSession(
  { endpoint, state, signal }: ContractContext,
  session: string,
  version: string,
  declared: "none" | "memory",
): Promise<ContractLine> {
  const what = "sessions";
  const statuses = await statusesOf(endpoint, session, version, signal);
  const lost = statuses.filter((status) => status === 404 || status === 400).length;
  const seen = `${SESSION} header; ${lost} of ${statuses.length} calls on other connections were not recognized`;
  if (declared === "none")
    return { what, found: "wrong", evidence: seen, without: `pods lose each other's sessions: ${STATELESS}` };
  if (lost > 0) return { what, found: "lacks", evidence: seen, without: `clients need affinity to a pod; ${SWITCH}` };
  const evidence =
    state.pods.length > 1 ? `${seen}: pods share them, or had no share of the calls` : `${seen} (one pod)`;
  return { what, found: "lacks", evidence, without: SWITCH };
}

/** Calls at the same time need connections of their own, which take the pods in turn. */
async function statusesOf(
  endpoint: ContractContext["endpoint"],
  session: string,
  version: string,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const headers = { [SESSION]: session, "mcp-protocol-version": version };
  const calls = Array.from({ length: 2 * Math.max(2, endpoint.pods) }, async () => {
    const { status } = await rawCall(endpoint, "tools/list", {}, { headers, signal });
    return status;
  });
  return (await Promise.allSettled(calls)).map((call) => (call.status === "fulfilled" ? call.value : 0));
}
