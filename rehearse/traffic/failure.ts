import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";
import type { Failure } from "./sample.ts";

/** Codes of the client that mean the connection went away, and not that somebody answered badly. */
const CONNECTION_CODES: readonly string[] = [
  SdkErrorCode.ConnectionClosed,
  SdkErrorCode.NotConnected,
  SdkErrorCode.SendFailed,
  SdkErrorCode.EraNegotiationFailed,
];

/**
 * Says what kind of failure an error of the MCP client is.
 *
 * @param broken the connection broke while the answer was coming: the client learns of that only when it stops waiting
 */
export function failureOf(error: unknown, broken: boolean): Failure {
  if (systemCode(error) !== undefined) return "connection";
  if (causes(error).some(({ name }) => name === "TimeoutError")) return broken ? "connection" : "timeout";
  if (error instanceof SdkHttpError) return "http";
  if (error instanceof ProtocolError) return "protocol";
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) return broken ? "connection" : "timeout";
    return CONNECTION_CODES.includes(error.code) ? "connection" : "protocol";
  }
  return broken ? "connection" : "protocol";
}

/** The operating system's word for it (`ECONNRESET`, …), wherever in the chain of causes it stands. */
function systemCode(error: unknown): string | undefined {
  return causes(error)
    .map((cause) => ("code" in cause ? cause.code : undefined))
    .find((code): code is string => typeof code === "string" && /^E[A-Z]{3,}$/.test(code));
}

/** An error and its causes in one line. */
export function messageOf(error: unknown): string {
  const messages = causes(error).map(({ message }) => message);
  return messages.length === 0 ? String(error) : messages.join(": ");
}

function causes(error: unknown): Error[] {
  return Error.isError(error) ? [error, ...causes(error.cause)] : [];
}
