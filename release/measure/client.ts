import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Endpoint } from "../ports/probe.ts";

/** The two families of protocol revisions: 2024-10-07 to 2025-11-25, and 2026-07-28 on. A server that drops one drops users. */
export const ERAS = ["legacy", "modern"] as const;

export type Era = (typeof ERAS)[number];

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
    era === "modern" ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {},
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
