import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";

/** What a handler may know of the call it answers. */
export interface ToolCall {
  /** Aborts when the client cancels or goes away. */
  readonly signal: AbortSignal;
}

/**
 * A tool as a plain object, so that it can be listed, tested and wrapped without a server.
 *
 * `handle` gets arguments that have passed `inputSchema`. It is a method, and so bivariant in its arguments: tools of different
 * arguments fit in one list.
 */
export interface Tool<Arguments = unknown> {
  readonly name: string;
  readonly title: string;
  /** Written for the model that decides whether to call it. */
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON<unknown, Arguments>;
  readonly outputSchema: StandardSchemaWithJSON;
  readonly annotations: ToolAnnotations;
  handle(args: Arguments, call: ToolCall): Promise<CallToolResult> | CallToolResult;
}

/** An answer in both forms that clients read: data for programs, a sentence for models. */
export function answer(data: object, sentence: string): CallToolResult {
  return { structuredContent: { ...data }, content: [{ type: "text", text: sentence }] };
}

/** An error that the model sees. The text says what to do about it. */
export function callerError(text: string): CallToolResult {
  return { isError: true, content: [{ type: "text", text }] };
}
