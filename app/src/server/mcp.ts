import {
  createRequestStateCodec,
  requireScopes,
  type McpServer,
  type McpServerFactory,
  type RequestStateCodec,
  type ScopeChallengeHandler,
  type ServerContext,
  type StandardSchemaWithJSON,
} from "@modelcontextprotocol/server";
import { clientOf, principalOf } from "../auth/principal.ts";
import type { AuthConfig } from "../config/auth.ts";
import { stringify } from "../json/well-formed.ts";
import type { Resource } from "../resources/resource.ts";
import { callTool, type ToolRequest } from "../tools/call-tool.ts";
import type { Tool } from "../tools/tool.ts";
import type { Tracing } from "../telemetry/request-trace.ts";
import { calledTool } from "./called-tool.ts";
import { PEER } from "./exchange.ts";
import { ObservedServer, type Observer } from "./observed-server.ts";

/** Methods of the protocol, including those that only a registration implements. */
const METHODS = new Set([
  "completion/complete",
  "initialize",
  "ping",
  "prompts/get",
  "prompts/list",
  "server/discover",
  "tools/list",
  "tools/call",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "logging/setLevel",
]);

const JSON_TYPE = "application/json";

export interface McpOptions {
  readonly version: string;
  readonly color: string;
  readonly auth: AuthConfig;
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  /** At least 32 bytes; the same for all pods, because any pod may get the next round. */
  readonly requestStateKey: string;
  readonly observe: Observer["observe"];
  readonly tracing: Pick<Tracing, "begin">;
  /** Reports an unexpected error; returns a reference for the client. */
  readonly unexpected: (error: unknown) => string;
  /** Called for each new server, after its tools and resources. @default - nothing more */
  readonly register?: (server: McpServer, requestState: RequestStateCodec) => void;
}

/**
 * Creates a server for each request, because an `McpServer` has the state of one exchange. The
 * expensive conversion of Zod schemas to JSON Schema is done once here.
 *
 * @throws Error when two tools have the same name
 */
export function createServerFactory(options: McpOptions): McpServerFactory {
  const { version, color, auth, resources } = options;
  const tools = options.tools.map((tool) => ({
    tool,
    config: {
      title: tool.title,
      description: tool.description,
      inputSchema: unchecked(converted(tool.inputSchema)),
      outputSchema: converted(tool.outputSchema),
      annotations: tool.annotations,
      ...stepUp(tool, auth),
    },
  }));
  const observer = {
    observe: options.observe,
    begin: options.tracing.begin.bind(options.tracing),
    methods: METHODS,
    tools: new Set(options.tools.map(({ name }) => name)),
  };
  const identity = {
    name: "mcp-bluegreen",
    title: "MCP server behind blue-green releases",
    version,
    description: `color ${color}`,
  };
  const requestState = createRequestStateCodec({
    key: options.requestStateKey,
    // State is valid only for the client that received it.
    bind: ({ http }) => (http?.authInfo === undefined ? "" : principalOf(http.authInfo)),
  });

  const byName = new Map<string, typeof tools>();
  for (const one of tools) {
    const { name } = one.tool;
    if (byName.has(name)) throw new Error(`there are two tools named '${name}'`);
    byName.set(name, [one]);
  }

  return ({ era, requestInfo }) => {
    // The 2025 version cannot send updates without sessions.
    const capabilities = era === "modern" ? { resources: { subscribe: true } } : {};
    const server = new ObservedServer(observer, identity, {
      capabilities,
      requestState: { verify: (state, context) => requestState.verify(state, context) },
    });
    for (const { tool, config } of byName.get(calledTool(requestInfo) ?? "") ?? tools) {
      server.registerTool(tool.name, config, (args, context) =>
        callTool(tool, args, toolRequest(context, auth), options.unexpected),
      );
    }
    for (const resource of resources) {
      const { uri, name, title, description } = resource;
      server.registerResource(name, uri, { title, description, mimeType: JSON_TYPE }, () => ({
        contents: [{ uri, mimeType: JSON_TYPE, text: read(resource, options.unexpected) }],
      }));
    }
    options.register?.(server, requestState);
    return server;
  };
}

/** @throws Error with a reference, without details */
function read(resource: Resource, unexpected: McpOptions["unexpected"]): string {
  try {
    return stringify(resource.read());
  } catch (error) {
    throw new Error(`${resource.uri} failed inside this server; try again later. Reference: ${unexpected(error)}`);
  }
}

/**
 * Makes the SDK answer 403 with all required scopes if a call lacks the scopes of the tool, so that
 * the client requests one new token.
 */
function stepUp({ scopes = [] }: Tool, auth: AuthConfig): { readonly scopeChallenge?: ScopeChallengeHandler } {
  if (auth.mode === "off" || scopes.length === 0) return {};
  const [first, ...rest] = new Set([...auth.requiredScopes, ...scopes]);
  return first === undefined ? {} : { scopeChallenge: requireScopes(first, ...rest) };
}

function toolRequest({ mcpReq, http }: ServerContext, auth: AuthConfig): ToolRequest {
  const authInfo = http?.authInfo;
  const progressToken = mcpReq._meta?.progressToken;
  return {
    client: clientOf(authInfo, http?.req?.headers.get(PEER) ?? ""),
    principal: authInfo === undefined ? "" : principalOf(authInfo),
    scopes: auth.mode === "off" ? auth.scopes : (authInfo?.scopes ?? []),
    signal: mcpReq.signal,
    progress(progress, total, message) {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, total, message };
      // The client may be gone; the signal cancels the work.
      mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
    },
  };
}

/**
 * The schema without validation: `callTool` validates, so that invalid arguments are answered and
 * counted as errors of the caller.
 */
function unchecked(schema: StandardSchemaWithJSON): StandardSchemaWithJSON {
  return { "~standard": { ...schema["~standard"], validate: (value) => ({ value }) } };
}

/** The schema with its JSON Schema already converted. */
function converted(schema: StandardSchemaWithJSON): StandardSchemaWithJSON {
  const { version, vendor, validate, jsonSchema } = schema["~standard"];
  const target = { target: "draft-2020-12" } as const;
  const input = jsonSchema.input(target);
  const output = jsonSchema.output(target);
  return { "~standard": { version, vendor, validate, jsonSchema: { input: () => input, output: () => output } } };
}
