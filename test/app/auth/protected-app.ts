import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { z } from "zod";
import { answer, type Tool } from "../../../app/src/tools/tool.ts";
import { startTestApp, type Era, type RunningApp } from "../running-app.ts";

const nothing = z.object({});

/** Says who calls it. */
const whoAmI: Tool = {
  name: "who_am_i",
  title: "Who am I",
  description: "Who calls.",
  inputSchema: nothing,
  outputSchema: z.object({ client: z.string() }),
  annotations: { readOnlyHint: true },
  handle: (_args, { call }) => answer({ client: call.client ?? "" }, call.client ?? ""),
};

/** For few. */
const guarded: Tool = { ...whoAmI, name: "guarded", scopes: ["breakers:write", "breakers:read"] };

export function startProtectedApp(environment: Readonly<Record<string, string>>): Promise<RunningApp> {
  return startTestApp(environment, { tools: (tools) => [...tools, whoAmI, guarded] });
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export const callOf = (tool: string) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: tool, arguments: {} },
});

/** One request as it goes over the wire; headers as a list may repeat. */
export function send(
  app: RunningApp,
  {
    headers = {},
    path = "/mcp",
    method = "POST",
    body = JSON.stringify(callOf("who_am_i")),
  }: {
    readonly headers?: Readonly<Record<string, string | string[]>>;
    readonly path?: string;
    readonly method?: string;
    readonly body?: string;
  } = {},
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
  const request = httpRequest({ host: "127.0.0.1", port: app.mcpPort, path, method, headers: all }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parse(text) });
    });
  });
  request.once("error", reject);
  request.end(method === "POST" ? body : undefined);
  return promise;
}

/** JSON, alone or as the last event of a stream. */
function parse(text: string): unknown {
  if (text === "") return undefined;
  return JSON.parse(text.startsWith("event:") || text.startsWith(":") ? (text.split("data: ").at(-1) ?? "") : text);
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** An official client that sends a token with each request. */
export async function connectWith(app: RunningApp, era: Era, token: () => Promise<string>): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    era === "2026" ? { versionNegotiation: { mode: "auto" } } : {},
  );
  await client.connect(new StreamableHTTPClientTransport(app.endpoint, { authProvider: { token } }));
  return client;
}
