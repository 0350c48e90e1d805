import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from "@modelcontextprotocol/server";
import type { Call } from "../resilience/call.ts";

/** What a handler may know of the call it answers, and do while it works. */
export interface ToolContext {
  /** For policies: cancelled when the client goes away or the tool's time is over; `client` is who calls. */
  readonly call: Call;
  /** Whose token the call has, and whose records are its own; `""` where nobody is told apart. */
  readonly principal: string;
  /** Aborts with the call. Made when it is first read. */
  readonly signal: AbortSignal;
  /** Tells the client how far the work is, if it has asked to know. Never waits, never fails. */
  progress(done: number, total?: number, message?: string): void;
}

/**
 * A tool as a plain object, so that it can be listed, tested and wrapped without a server.
 *
 * `handle` gets arguments that have passed `inputSchema`, and throws freely: `callTool` turns a `ToolInputError`, a `Rejected`, a
 * `DeadlineExceeded` and everything else into an answer that says what to do. It is a method, and so bivariant in its arguments:
 * tools of different arguments fit in one list.
 */
export interface Tool<Arguments = unknown> {
  readonly name: string;
  readonly title: string;
  /** Written for the model that decides whether to call it. */
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON<unknown, Arguments>;
  readonly outputSchema: StandardSchemaWithJSON;
  readonly annotations: ToolAnnotations;
  /** What a client's token must grant, all of it, before the tool may run. @default - any client may call it */
  readonly scopes?: readonly string[];
  /** Milliseconds that one call may take. @default 30,000 */
  readonly timeout?: number;
  handle(args: Arguments, context: ToolContext): Promise<CallToolResult> | CallToolResult;
}

/** An answer in both forms that clients read: data for programs, a sentence for models. */
export function answer(data: object, sentence: string): CallToolResult {
  return { structuredContent: { ...data }, content: [{ type: "text", text: sentence }] };
}
