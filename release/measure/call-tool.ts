import { ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import { withClient, type Era } from "./client.ts";
import type { Reach } from "./reach.ts";
import { smokeCall, type Smoke, type SmokeAnswer } from "./smoke-call.ts";

export interface ToolCall {
  /** No answer, or another one than the environment expects. */
  readonly failed: boolean;
  /** From the call to its answer, without the time to connect. */
  readonly ms: number;
  /** What the server counted: nothing if it gave no answer, or was asked for its tools alone. */
  readonly counted?: { readonly failed: boolean };
}

/** A session that breaks within this time is tried once more. Milliseconds. */
const BREAKS_EARLY_MS = 1000;

/**
 * Makes the smoke call in a client session of its own.
 *
 * A session that breaks early is tried once more: a pod that is being replaced ends its connections, and a client that
 * connects anew is served.
 *
 * @throws TargetUnreachable, TargetRefused if the way to the color is broken
 */
export async function callTool(reach: Reach, smoke: Smoke, era: Era, signal: AbortSignal): Promise<ToolCall> {
  const start = performance.now();
  for (let tries = 0; ; tries++) {
    try {
      return await withClient(reach.endpoint, era, signal, async (client) => {
        const start = performance.now();
        const answer = smokeCall(client, smoke, signal).catch((error: unknown) => timedOut(error, smoke));
        const { wrong, counted } = await answer;
        return { failed: wrong !== undefined, ms: performance.now() - start, ...(counted && { counted }) };
      });
    } catch (error) {
      signal.throwIfAborted();
      const ms = performance.now() - start;
      // A JSON-RPC error is an answer, and a pod counts it.
      if (error instanceof ProtocolError) return { failed: true, ms, counted: { failed: true } };
      await reach.check(signal);
      if (tries > 0 || ms > BREAKS_EARLY_MS) return { failed: true, ms };
    }
  }
}

/** A pod counts a call that its client gave up on, as long as the client waited, and not as failed. */
function timedOut(error: unknown, smoke: Smoke): SmokeAnswer {
  if (!(error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout)) throw error;
  return { wrong: error.message, ...(smoke !== undefined && { counted: { failed: false } }) };
}
