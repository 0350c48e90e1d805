import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import pino from "pino";
import { startApp, type App, type AppOptions } from "../../app/src/app.ts";
import { readConfig } from "../../app/src/config.ts";

/** The app in this process, on free ports. */
export interface RunningApp extends App {
  readonly endpoint: URL;
  readonly admin: string;
}

export async function startTestApp(
  environment: Readonly<Record<string, string>> = {},
  options: Pick<AppOptions, "tools" | "register"> = {},
): Promise<RunningApp> {
  const config = readConfig({
    MCP_PORT: "0",
    ADMIN_PORT: "0",
    HOST: "127.0.0.1",
    AUTH_MODE: "off",
    APP_COLOR: "green",
    REQUEST_STATE_KEY: "a key for tests that is long enough",
    KEEP_ALIVE_TIMEOUT: "100ms",
    ...environment,
  });
  const log = { logger: pino({}, { write: () => undefined }), flush: () => undefined };
  const app = await startApp({ ...options, config: { ...config, version: "1.2.3" }, log });
  return {
    ...app,
    endpoint: new URL(`http://127.0.0.1:${app.mcpPort}/mcp`),
    admin: `http://127.0.0.1:${app.adminPort}`,
  };
}

export type Era = "2025" | "2026";

/** An official client. The 2025 era is its default; the 2026 one is negotiated. */
export async function connect(endpoint: URL, era: Era, fetch?: typeof globalThis.fetch): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    era === "2026" ? { versionNegotiation: { mode: "auto" } } : {},
  );
  await client.connect(new StreamableHTTPClientTransport(endpoint, fetch === undefined ? {} : { fetch }));
  return client;
}
