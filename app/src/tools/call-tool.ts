import type { CallToolResult, StandardSchemaV1 } from "@modelcontextprotocol/server";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { isObject } from "../json/is-object.ts";
import { CallerCall } from "../resilience/call.ts";
import { Deadline, DeadlineExceeded } from "../resilience/deadline.ts";
import { Rejected } from "../resilience/rejection.ts";
import { currentTrace } from "../telemetry/request-trace.ts";
import { UpstreamFailure } from "../outbound/upstream-failure.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** Default time limit of a tool, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/**
 * Issues in an error message, and characters of the path of each, which may contain names that the
 * caller chose.
 */
const MAX_ISSUES = 10;
const MAX_PATH = 100;

/** Key of the `ErrorDetail` in the `_meta` of an error. */
export const ERROR_META = "mcp-bluegreen/error";

export interface ErrorDetail {
  /**
   * `caller_error`: change the arguments. `rate_limited`: call less often. `rejected`: not tried,
   * because a dependency is down or full. `timeout`: took too long. `upstream_error`: an upstream
   * failed. `tool_error`: this server failed.
   */
  readonly kind: "caller_error" | "rate_limited" | "rejected" | "timeout" | "upstream_error" | "tool_error";
  /** Milliseconds after which a retry makes sense; absent if unknown. */
  readonly retryAfterMs?: number;
}

export interface ToolRequest {
  /** The client that rates are counted for. */
  readonly client: string;
  /** The owner of records. @default - principals are not distinguished */
  readonly principal?: string;
  /** Scopes that were granted. @default - none */
  readonly scopes?: readonly string[];
  /** Aborts when the client cancels or goes away. */
  readonly signal: AbortSignal;
  readonly progress: ToolContext["progress"];
}

/**
 * Validates arguments, calls a tool within its time limit, and turns errors into answers.
 * Unexpected errors are passed to `unexpected`; the answer contains only a reference, because
 * details are for logs.
 *
 * @param unexpected - reports the error and returns its reference
 */
export async function callTool<Arguments>(
  tool: Tool<Arguments>,
  given: unknown,
  request: ToolRequest,
  unexpected: (error: unknown) => string,
): Promise<CallToolResult> {
  const { client, principal = "", scopes = [], signal, progress } = request;
  const missing = tool.scopes?.filter((scope) => !scopes.includes(scope)) ?? [];
  if (missing.length > 0) return notGranted(tool.name, missing);
  const checked = await tool.inputSchema["~standard"].validate(given);
  if (checked.issues !== undefined) return notUnderstood(tool.name, checked.issues);
  const deadline = new Deadline({ timeout: tool.timeout ?? DEFAULT_TIMEOUT });
  try {
    return await deadline.execute(
      async (call) =>
        tool.handle(checked.value, {
          call,
          principal,
          progress,
          get signal() {
            return call.signal;
          },
        }),
      new CallerCall({
        client,
        signal,
        repeatable: tool.annotations.idempotentHint === true,
        trace: currentTrace()?.decisions,
      }),
    );
  } catch (error) {
    return failure(tool.name, error, signal, unexpected);
  }
}

/** A second check besides the SDK's. */
function notGranted(tool: string, missing: readonly string[]): CallToolResult {
  const text = `${tool} needs a scope that you have not been granted: ${missing.join(" ")}. The operator of this server can grant it.`;
  return errorAnswer(text, { kind: "caller_error" });
}

function notUnderstood(tool: string, issues: readonly StandardSchemaV1.Issue[]): CallToolResult {
  const said = issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => {
    const where = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return where === "" ? message : `${where.slice(0, MAX_PATH)}: ${message}`;
  });
  return errorAnswer(`Invalid arguments for ${tool}: ${said.join("; ")}`, { kind: "caller_error" });
}

function failure(
  tool: string,
  error: unknown,
  signal: AbortSignal,
  unexpected: (error: unknown) => string,
): CallToolResult {
  const known = foreseen(error);
  if (known !== undefined) return errorAnswer(known.text, known.detail);
  // The client has gone; the answer is not read.
  if (signal.aborted) return errorAnswer("cancelled", { kind: "caller_error" });
  return errorAnswer(`${tool} failed inside this server; try again later. Reference: ${unexpected(error)}`, {
    kind: "tool_error",
  });
}

/** The text and kind of an expected error; undefined for an unexpected one. */
export function foreseen(error: unknown): { readonly text: string; readonly detail: ErrorDetail } | undefined {
  if (error instanceof ToolInputError) return { text: error.message, detail: { kind: "caller_error" } };
  if (error instanceof DeadlineExceeded)
    return { text: `${error.message}. Ask for less, or try again later.`, detail: { kind: "timeout" } };
  if (error instanceof Rejected) {
    const kind = error.rejection.reason === "rate" ? "rate_limited" : "rejected";
    return { text: error.message, detail: { kind, ...after(error.retryAfterMs) } };
  }
  if (error instanceof UpstreamFailure) {
    const { message, isTransient, retryAfterMs = 0 } = error;
    const advice = isTransient ? ` Try again ${retryAfterMs > 0 ? `in ${Math.ceil(retryAfterMs)} ms` : "later"}.` : "";
    return { text: `${message}.${advice}`, detail: { kind: "upstream_error", ...after(retryAfterMs) } };
  }
  return undefined;
}

const after = (milliseconds: number): Pick<ErrorDetail, "retryAfterMs"> =>
  milliseconds > 0 ? { retryAfterMs: Math.ceil(milliseconds) } : {};

function errorAnswer(text: string, detail: ErrorDetail): CallToolResult {
  return { isError: true, content: [{ type: "text", text }], _meta: { [ERROR_META]: detail } };
}

/** The kind of an error answer; empty for other answers. */
export function errorKind({ isError, _meta }: { readonly isError?: unknown; readonly _meta?: unknown }): string {
  if (isError !== true) return "";
  const detail = isObject(_meta) ? _meta[ERROR_META] : undefined;
  return isObject(detail) && "kind" in detail ? String(detail.kind) : "tool_error";
}
