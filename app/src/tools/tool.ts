import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";
import type { Call } from "../resilience/call.ts";

/** The call of a handler, and its progress. */
export interface ToolContext {
  /** For policies: cancelled when the client goes away or the time limit is over. */
  readonly call: Call;
  /** Owner of the records; `""` if principals are not distinguished. */
  readonly principal: string;
  /** Aborts with the call. Created on the first read. */
  readonly signal: AbortSignal;
  /** Reports progress if the client asked for it. Never waits or fails. */
  progress(done: number, total?: number, message?: string): void;
}

/**
 * A tool as a plain object that can be listed, tested and wrapped without a server.
 *
 * `handle` gets valid arguments and may throw: `callTool` turns a `ToolInputError`, a `Rejected`, a
 * `DeadlineExceeded` and any other error into an answer that says what to do. It is a method, and
 * so bivariant: tools with different arguments fit in one list.
 */
export interface Tool<Arguments = unknown> {
  readonly name: string;
  readonly title: string;
  /** For the model that decides whether to call it. */
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON<unknown, Arguments>;
  readonly outputSchema: StandardSchemaWithJSON;
  readonly annotations: ToolAnnotations;
  /** Scopes that the client's token must grant. @default - none */
  readonly scopes?: readonly string[];
  /** Time limit in milliseconds. @default 30,000 */
  readonly timeout?: number;
  handle(args: Arguments, context: ToolContext): Promise<CallToolResult> | CallToolResult;
}

/** An answer in both forms: data for programs, text for models. */
export function answer(data: object, sentence: string): CallToolResult {
  return { structuredContent: { ...data }, content: [{ type: "text", text: sentence }] };
}
