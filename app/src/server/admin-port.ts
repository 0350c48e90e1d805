import { createServer, type Server } from "node:http";
import type { Health } from "../health/health.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: object): Page => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

/**
 * Probes, health and metrics, apart from the MCP port: it answers to any host name, since the kubelet asks by the pod's address,
 * and to no web page.
 */
export function createAdminPort({ health, metrics }: { readonly health: Health; readonly metrics: Metrics }): Server {
  const pages: Readonly<Record<string, () => Page | Promise<Page>>> = {
    // That this line runs is the answer.
    "/livez": () => json(200, { live: true }),
    "/readyz": () => json(health.ready ? 200 : 503, { ready: health.ready }),
    "/health": () => {
      const report = health.report();
      return json(report.status === "critical" ? 503 : 200, report);
    },
    "/metrics": async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
  };

  return createServer((request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const answer = async (): Promise<Page> => {
      if (request.headers.origin !== undefined) return json(403, { error: "the admin port answers no web page" });
      if (request.method !== "GET" && request.method !== "HEAD") return json(405, { error: "only GET" });
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
      return (await page?.()) ?? json(404, { error: `no such page; there are ${Object.keys(pages).join(", ")}` });
    };
    const send = ({ status, type, body }: Page) => {
      response.writeHead(status, {
        "content-type": type,
        "content-length": String(Buffer.byteLength(body)),
        ...(health.ready ? {} : { connection: "close" }),
      });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    answer().then(send, (error: unknown) => {
      send(json(500, { error: String(error) }));
    });
  });
}
