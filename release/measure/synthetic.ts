import type { Client } from "@modelcontextprotocol/client";
import type { Environment } from "../../environment/environment.ts";
import type { Endpoint } from "../ports/probe.ts";
import { callOptions, ERAS, withClient } from "./client.ts";
import type { Measurement } from "./window.ts";

type Smoke = Environment["release"]["smoke"];

interface Load {
  /** Calls in all. */
  readonly calls: number;
  /** Client sessions that call at the same time, the eras in turn. */
  readonly concurrency: number;
}

/**
 * Calls a tool through real client sessions and measures each call where a client would.
 *
 * An answer that is not what the environment expects counts as an error: it is no better than none. A session that cannot be
 * opened loses all its calls.
 */
export async function syntheticCalls(
  endpoint: Endpoint,
  smoke: Smoke,
  load: Load,
  signal: AbortSignal,
): Promise<Measurement> {
  const durationsMs: number[] = [];
  let left = load.calls;
  const takeOne = () => left-- > 0;

  async function callUntilNoneIsLeft(client: Client): Promise<void> {
    while (takeOne()) {
      signal.throwIfAborted();
      const start = performance.now();
      if (await answers(client, smoke, signal)) durationsMs.push(performance.now() - start);
    }
  }

  const sessions = Array.from({ length: load.concurrency }, (_, index) =>
    withClient(endpoint, ERAS[index % ERAS.length] ?? "legacy", signal, callUntilNoneIsLeft),
  );
  await Promise.allSettled(sessions);
  signal.throwIfAborted();

  // Calls that no session was left to make were not answered either.
  const errors = load.calls - durationsMs.length;
  return { calls: load.calls, errors, p95Ms: percentile(durationsMs, 0.95) };
}

async function answers(
  client: Client,
  { tool, arguments: args, expect }: Smoke,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const answer = await client.callTool({ name: tool, arguments: args }, callOptions(signal));
    return !answer.isError && expect.safeParse(answer.structuredContent).success;
  } catch {
    return false;
  }
}

/** Nearest rank; a p95 over failed calls alone is infinite, never good. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Infinity;
}
