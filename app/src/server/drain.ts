import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import type { Health } from "../health/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Connections } from "./connections.ts";

/** Milliseconds for the last bytes of listen streams to be sent. */
const FLUSH_TIMEOUT = 1000;

export interface DrainOptions {
  readonly mcpPort: Server;
  readonly adminPort: Server;
  readonly handler: Pick<McpHttpHandler, "close">;
  readonly connections: Connections;
  readonly health: Health;
  readonly logger: Logger;
  /** Milliseconds between losing readiness and refusing new connections. */
  readonly delay: number;
  /** Milliseconds to wait for calls and kept connections after that. */
  readonly timeout: number;
}

/**
 * Takes a pod out of service without failing a call. In this order:
 *
 * 1. not ready, and every response ends its connection;
 * 2. after `delay`, in which others learn of 1, no new connections;
 * 3. wait until calls have been answered and kept connections have ended, at most `timeout`;
 * 4. end listen streams with their final result: `handler.close()` any earlier would abort calls;
 * 5. close what is left, and the admin port, which has answered until now.
 *
 * Resolves with the number of connections on which a call had to be cut off.
 */
export async function drain(options: DrainOptions): Promise<number> {
  const { mcpPort, adminPort, handler, connections, health, logger } = options;
  logger.info({ connections: connections.size }, "draining");
  health.draining();
  connections.drain();
  await sleep(options.delay);

  // Not http's own close(): that drops idle connections at once, and with them the requests that
  // are on their way.
  NetServer.prototype.close.call(mcpPort);

  await withinTime(connections.onlyStreams(), options.timeout);
  const cutOff = connections.busy;
  await handler.close();
  if (cutOff === 0) await withinTime(connections.none(), FLUSH_TIMEOUT);
  connections.destroy();
  mcpPort.closeAllConnections();
  adminPort.close();
  adminPort.closeAllConnections();
  if (cutOff > 0) logger.warn({ cutOff }, "drain timed out: calls were cut off");
  else logger.info("drained");
  return cutOff;
}

/** Waits for a promise, but not longer than so many milliseconds. */
async function withinTime(promise: Promise<void>, milliseconds: number): Promise<void> {
  const timer = new AbortController();
  const timeout = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([promise, timeout]);
  timer.abort();
}
