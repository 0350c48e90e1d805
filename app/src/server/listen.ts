import type { Server } from "node:http";

/** The server cannot listen on a port. The message names the port and the remedy. */
export class CannotListen extends Error {
  override readonly name = "CannotListen";
}

/**
 * Listens on a port, 0 for any free one, and returns the port.
 *
 * @throws CannotListen
 */
export async function listen(server: Server, variable: string, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once("error", reject);
  server.listen(port, host, () => {
    server.off("error", reject);
    resolve(undefined);
  });
  try {
    await promise;
  } catch (error) {
    throw new CannotListen(explain(error as NodeJS.ErrnoException, variable, port, host), { cause: error });
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function explain({ code, message }: NodeJS.ErrnoException, variable: string, port: number, host: string): string {
  if (code === "EADDRINUSE") {
    return `port ${port} is in use: stop what listens on it, or set ${variable} to another port (0 takes any free one)`;
  }
  if (code === "EACCES") return `port ${port} may not be opened by this user: set ${variable} to one above 1023`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return `this machine has no address '${host}': set HOST to one it has, or to 0.0.0.0`;
  }
  return `cannot listen on ${host}:${port} (${variable}): ${message}`;
}
