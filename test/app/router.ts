import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";

/** Routes TCP connections to one of several ports, like a Kubernetes Service: each connection stays where it was opened. */
export interface Router {
  readonly port: number;
  readonly connections: number;
  routeTo(port: number): void;
  close(): Promise<void>;
}

export async function startRouter(target: number): Promise<Router> {
  let current = target;
  let connections = 0;
  const server: Server = createServer({ allowHalfOpen: true }, (downstream) => {
    connections += 1;
    const upstream = connect({ port: current, host: "127.0.0.1", allowHalfOpen: true });
    downstream.pipe(upstream).pipe(downstream);
    downstream.on("error", () => upstream.destroy());
    upstream.on("error", () => downstream.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    routeTo(port) {
      current = port;
    },
    async close() {
      await once(server.close(), "close");
    },
  };
}
