import { callOptions, erasOf, withClient } from "../measure/client.ts";
import { initialize } from "./raw-call.ts";
import type { ContractCheck, ContractContext, ContractLine } from "./line.ts";
import { inOneLine } from "./in-one-line.ts";

const BREAKS =
  "clients of this version cannot use the server, and the gate 'smoke' fails; correct server.protocolVersions";

/** Each declared protocol version is spoken, and the server has tools in it. */
export const protocol: ContractCheck = async (context) => {
  const { environment } = context;
  const lines: ContractLine[] = [];
  for (const version of environment.server.protocolVersions) lines.push(await spoken(context, version));
  return lines;
};

async function spoken(context: ContractContext, version: string): Promise<ContractLine> {
  const { endpoint, signal } = context;
  const what = `MCP ${version}`;
  const [era = "legacy"] = erasOf({ protocolVersions: [version] });
  try {
    if (era === "legacy") {
      const { status, message } = await initialize(endpoint, version, signal);
      const answered = message.result?.protocolVersion;
      if (answered !== version) {
        const words = message.error?.message ?? (typeof answered === "string" ? `version ${answered}` : "no result");
        return { what, found: "wrong", evidence: `initialize: HTTP ${status}, ${words}`, without: BREAKS };
      }
    }
    const { tools } = await withClient(endpoint, era, signal, (client) => client.listTools({}, callOptions(signal)));
    if (tools.length > 0) return { what, found: "ok", evidence: `${tools.length} tools` };
    return { what, found: "wrong", evidence: "tools/list is empty", without: "the gate 'smoke' fails" };
  } catch (error) {
    signal.throwIfAborted();
    return { what, found: "wrong", evidence: inOneLine(error), without: BREAKS };
  }
}
