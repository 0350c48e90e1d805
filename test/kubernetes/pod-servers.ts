import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { COLOR_LABEL } from "../../environment/names.ts";
import { PORTS } from "../default-names.ts";
import type { FakeCluster } from "./cluster.ts";

interface PodServer {
  readonly server: Server;
  calls: number;
}

/** Local servers that answer as the pods of a fake cluster: both of their ports are one. */
export class PodServers {
  readonly ports = new Map<string, number>();
  readonly #servers = new Map<string, PodServer>();

  static async start(cluster: FakeCluster): Promise<PodServers> {
    const servers = new PodServers();
    for (const pod of cluster.store.list("Pod")) {
      await servers.#start(pod.metadata.name, pod.metadata.labels?.[COLOR_LABEL] ?? "");
    }
    return servers;
  }

  /** Calls a tool of a pod. */
  async call(pod: string): Promise<void> {
    const origin = `http://127.0.0.1:${this.ports.get(`${pod}:${PORTS.mcp.number}`)}`;
    await (await fetch(`${origin}/mcp`, { method: "POST" })).text();
  }

  async stop(pod: string): Promise<void> {
    const server = this.#servers.get(pod)?.server;
    this.#servers.delete(pod);
    server?.close();
    server?.closeAllConnections();
    if (server !== undefined) await once(server, "close");
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((pod) => this.stop(pod)));
  }

  async #start(pod: string, color: string): Promise<void> {
    const entry: PodServer = {
      calls: 0,
      server: createServer((request, response) => {
        if (request.url === "/health") {
          response.end(JSON.stringify({ status: "healthy", version: "1", color }));
        } else if (request.url === "/metrics") {
          const labels = 'mcp_method_name="tools/call",error_type=""';
          response.end(`mcp_server_operation_duration_seconds_count{${labels}} ${entry.calls}\n`);
        } else {
          entry.calls += 1;
          response.end(`{"pod":"${pod}"}`);
        }
      }),
    };
    this.#servers.set(pod, entry);
    entry.server.listen(0, "127.0.0.1");
    await once(entry.server, "listening");
    const { port } = entry.server.address() as AddressInfo;
    for (const { number } of Object.values(PORTS)) this.ports.set(`${pod}:${number}`, port);
  }
}
