import { setTimeout as sleep } from "node:timers/promises";
import { StreamableHTTPClientTransport, type McpSubscription } from "@modelcontextprotocol/client";
import { newClient } from "./caller.ts";
import { Connection } from "./connection.ts";
import { failureOf, messageOf } from "./failure.ts";
import type { Sampler } from "./sampler.ts";
import type { TrafficReport } from "./sample.ts";

export interface ListenerOptions {
  readonly url: URL;
  readonly sampler: Sampler;
  readonly signal: AbortSignal;
  readonly report: (report: TrafficReport) => void;
}

/**
 * Holds a listen stream until stopped, and opens it again whenever the server ends it.
 *
 * A server that leaves ends its streams with their result; that is no failure. A stream that just breaks is one.
 */
export async function keepListening({ url, sampler, signal, report }: ListenerOptions): Promise<void> {
  const stopped = () => signal.aborted;
  while (!stopped()) {
    const connection = new Connection("fresh");
    const client = newClient("modern");
    try {
      await client.connect(new StreamableHTTPClientTransport(url, { fetch: connection.fetch }));
      const subscription = await client.listen({ toolsListChanged: true });
      const { color } = connection.responder;
      report({ type: "stream", state: "open", ...(color && { color }) });
      const end = await ended(subscription, signal);
      report({ type: "stream", state: "ended", ...(color && { color }) });
      if (end === "remote") {
        sampler.failed({
          caller: "listen modern",
          failure: "stream",
          message: "the listen stream broke",
          ...connection.responder,
        });
      }
    } catch (error) {
      sampler.failed({
        caller: "listen modern",
        failure: failureOf(error, connection.broken),
        message: messageOf(error),
      });
      if (!stopped()) await sleep(100);
    } finally {
      await client.close();
    }
  }
}

async function ended(subscription: McpSubscription, signal: AbortSignal): Promise<"local" | "graceful" | "remote"> {
  const close = () => void subscription.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await subscription.closed;
  } finally {
    signal.removeEventListener("abort", close);
  }
}
