import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Environment } from "../../environment/environment.ts";
import type { Endpoint } from "../ports/probe.ts";

/** The two families of protocol revisions: 2024-10-07 to 2025-11-25, and 2026-07-28 on. */
export const ERAS = ["legacy", "modern"] as const;

export type Era = (typeof ERAS)[number];

const FIRST_MODERN = "2026-07-28";

/** The families of the protocol versions that a server declares; calls of a release use no other. */
export function erasOf({ protocolVersions }: Pick<Environment["server"], "protocolVersions">): readonly Era[] {
  const declared = new Set(protocolVersions.map((version): Era => (version >= FIRST_MODERN ? "modern" : "legacy")));
  return ERAS.filter((era) => declared.has(era));
}

/** What a call that is part of a release may take; one that takes longer is no answer, and Ctrl-C does not wait for it. */
export function callOptions(signal: AbortSignal): { readonly signal: AbortSignal; readonly timeout: number } {
  return { signal, timeout: 10_000 };
}

/** Names the environment variable with the access token of an app that lets nobody in without one. */
export const TOKEN = "RELEASE_TOKEN";

/** Runs a client session of one era against an endpoint, and closes it whatever happens. */
export async function withClient<T>(
  endpoint: Pick<Endpoint, "url" | "fetch">,
  era: Era,
  signal: AbortSignal,
  session: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(
    { name: "mcp-bluegreen-release", version: "1.0.0" },
    era === "modern" ? { versionNegotiation: { mode: { pin: FIRST_MODERN } } } : {},
  );
  const token = process.env[TOKEN];
  const authProvider = token ? { authProvider: { token: () => Promise.resolve(token) } } : {};
  const transport = new StreamableHTTPClientTransport(endpoint.url, { fetch: endpoint.fetch, ...authProvider });
  try {
    await client.connect(transport, callOptions(signal));
    return await session(client);
  } finally {
    await client.close();
  }
}
