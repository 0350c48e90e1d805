import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import type { Health } from "../health/health.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Connections } from "./connections.ts";

/** Milliseconds for sending the last bytes of listen streams. */
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
  /** Milliseconds to wait for calls and keep-alive connections after that. */
  readonly timeout: number;
}

/**
 * Takes a pod out of service without failing a call. In this order:
 *
 * 1. not ready, and every response ends its connection;
 * 2. after `delay`, when others have noticed, no new connections;
 * 3. wait until calls are answered and keep-alive connections have ended, at most `timeout`;
 * 4. end listen streams with their final result: an earlier `handler.close()` would abort calls;
 * 5. close all other connections and the admin port.
 *
 * Resolves with the number of connections whose calls were cut off.
 */
export async function drain(options: DrainOptions): Promise<number> {
  const { mcpPort, adminPort, handler, connections, health, logger } = options;
  logger.info({ connections: connections.size }, "draining");
  health.draining();
  connections.drain();
  await sleep(options.delay);

  // http's close() would drop idle connections at once, with requests in flight.
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

async function withinTime(promise: Promise<void>, milliseconds: number): Promise<void> {
  const timer = new AbortController();
  const timeout = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([promise, timeout]);
  timer.abort();
}
