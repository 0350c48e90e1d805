import type { CallToolResult } from "@modelcontextprotocol/server";
import { callTool, ERROR_META, type ErrorDetail } from "../../../app/src/tools/call-tool.ts";
import type { Tool } from "../../../app/src/tools/tool.ts";

export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
  readonly message: string | undefined;
}

export interface Called {
  readonly result: CallToolResult;
  /** What it answered, checked against its schema; nothing for an error. */
  readonly data: unknown;
  readonly text: string;
  readonly error: ErrorDetail | undefined;
  readonly progress: readonly Progress[];
  /** Errors that the tool did not foresee. */
  readonly unexpected: readonly unknown[];
}

/** Calls a tool as the server does: arguments checked by its schema, answers by the other one. */
export async function call(
  tool: Tool,
  args: unknown,
  { signal = new AbortController().signal, client = "somebody", principal = "", scopes = tool.scopes ?? [] } = {},
): Promise<Called> {
  const checked = await tool.inputSchema["~standard"].validate(args);
  if (checked.issues !== undefined) throw new Error(checked.issues.map(({ message }) => message).join("; "));
  const progress: Progress[] = [];
  const unexpected: unknown[] = [];
  const request = {
    client,
    principal,
    scopes,
    signal,
    progress: (done: number, total?: number, message?: string) => {
      progress.push({ done, total, message });
    },
  };
  const result = await callTool(tool, checked.value, request, (error) => {
    unexpected.push(error);
    return "reference";
  });
  if (result.isError !== true) {
    const answered = await tool.outputSchema["~standard"].validate(result.structuredContent);
    if (answered.issues !== undefined) throw new Error(`the answer is not valid: ${JSON.stringify(answered.issues)}`);
  }
  const [first] = result.content;
  const text = first?.type === "text" ? first.text : "";
  const error = result._meta?.[ERROR_META] as ErrorDetail | undefined;
  return { result, data: result.structuredContent, text, error, progress, unexpected };
}
