import type { ContractCheck, ContractLine } from "./line.ts";
import { rawCall } from "./raw-call.ts";

const KEPT =
  "a Service moves new connections only: clients with a keep-alive connection stay with the old version until its pods end, " +
  "and may lose a call then; an Ingress chooses for each request";

/**
 * Whether the server ends its connections. A maximum age is longer than a check may take, so only a server that ends each
 * connection at once is recognized; otherwise the description counts.
 */
export const connections: ContractCheck = async ({
  environment,
  endpoint,
  signal,
}): Promise<readonly ContractLine[]> => {
  const what = "connections";
  const { headers } = await rawCall(endpoint, "ping", {}, { signal });
  const closes = /\bclose\b/i.test(headers.get("connection") ?? "");
  const timeout = /timeout=(\d+)/.exec(headers.get("keep-alive") ?? "")?.[1];
  const idle = timeout === undefined ? "" : `, and ends idle ones after ${timeout} s`;
  if (closes) return [{ what, found: "ok", evidence: "the server ends each connection after its answer" }];
  if (environment.server.connections === "maxAge") {
    const evidence = `the server keeps a connection${idle}; that it ends old ones is declared (maxAge), and was not waited for`;
    return [{ what, found: "ok", evidence }];
  }
  return [{ what, found: "lacks", evidence: `the server keeps connections${idle}`, without: KEPT }];
};
