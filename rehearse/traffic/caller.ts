import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Connection, type ConnectionKind } from "./connection.ts";
import { failureOf, messageOf } from "./failure.ts";
import { pulse, type Question } from "./question.ts";
import type { Sampler } from "./sampler.ts";

/** The two families of protocol revisions that a server must speak at the same time. */
export type Era = "legacy" | "modern";

export interface CallerOptions {
  readonly url: URL;
  readonly connection: ConnectionKind;
  readonly era: Era;
  readonly callsPerSecond: number;
  readonly sampler: Pick<Sampler, "answered" | "failed">;
  readonly signal: AbortSignal;
  /** What to ask next. */
  next(): Question;
}

/** After these many calls a caller leaves and another takes its place, so that handshakes, too, cross a switch. */
const CALLS_PER_CLIENT = 100;

const TIMEOUT_MS = 5000;

/**
 * One MCP client of the official SDK after the other, calling until stopped. A call under way is always finished.
 *
 * Calls have a pace but no pauses: who falls behind calls again at once.
 */
export async function keepCalling(options: CallerOptions): Promise<void> {
  const { signal, callsPerSecond } = options;
  const stopped = () => signal.aborted;
  const period = 1000 / callsPerSecond;
  // Callers start out of step, or they would all knock at the same moment.
  let due = performance.now() + Math.random() * period;
  while (!stopped()) {
    await using caller = await newCaller(options);
    for (let calls = 0; calls < CALLS_PER_CLIENT && !stopped(); calls++) {
      const early = due - performance.now();
      if (early > 1) await sleep(early);
      due = Math.max(due + period, performance.now() - period);
      await caller.ask(options.next());
    }
  }
}

/** Opens a client. One that cannot connect counts as a failed call and is tried again until stopped. */
async function newCaller(options: CallerOptions) {
  const { url, era, sampler, signal } = options;
  const name = `${options.connection} ${era}`;
  for (;;) {
    const connection = new Connection(options.connection);
    const client = newClient(era);
    const failed = (error: unknown) => {
      sampler.failed({
        caller: name,
        failure: failureOf(error, connection.broken),
        message: messageOf(error),
        ...connection.responder,
      });
    };
    try {
      await client.connect(new StreamableHTTPClientTransport(url, { fetch: connection.fetch }), {
        timeout: TIMEOUT_MS,
      });
    } catch (error) {
      failed(error);
      connection.close();
      if (!signal.aborted) {
        await sleep(RECONNECT_MS);
        continue;
      }
    }
    return {
      async ask(question: Question): Promise<void> {
        const start = performance.now();
        try {
          const answer = await client.callTool(
            { name: question.tool, arguments: { ...question.arguments } },
            { timeout: TIMEOUT_MS },
          );
          const judgment = question.judge(answer);
          const who = { caller: name, ...connection.responder };
          if (judgment.right) {
            const { source } = judgment;
            const isPulse = question === pulse && options.connection === "fresh";
            sampler.answered({
              ...who,
              latencyMs: performance.now() - start,
              pulse: isPulse,
              ...(source && { source }),
            });
          } else {
            sampler.failed({ ...who, failure: judgment.failure, message: judgment.message });
          }
        } catch (error) {
          failed(error);
        }
      },
      async [Symbol.asyncDispose](): Promise<void> {
        await client.close();
        connection.close();
      },
    };
  }
}

const RECONNECT_MS = 100;

/** A client that speaks one era; `modern` is what it negotiates, and what a server of today must offer. */
export function newClient(era: Era): Client {
  return new Client(
    { name: `rehearsal-${era}`, version: "1.0.0" },
    era === "modern" ? { versionNegotiation: { mode: "auto" } } : {},
  );
}
