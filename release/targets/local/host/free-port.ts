import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that operating systems give to outgoing connections. One of those could be taken
 * by a client's connection between the search and the start of the server.
 */
const FIRST = 20_000;
const LAST = 32_000;

/** Handed out by this process a short time ago: its server may not listen yet. */
const RECENT_MS = 60_000;
const recent = new Map<number, number>();

/** A TCP port that nothing listens on, for a server that is told its port. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const now = performance.now();
    if (now - (recent.get(port) ?? -Infinity) < RECENT_MS) continue;
    recent.set(port, now);
    if (await isFree(port)) return port;
  }
}

/** On all addresses, since a server may listen on any. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
