import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { Health } from "../health/health.ts";
import { stringify } from "../json/well-formed.ts";
import { BREAKER_METRICS } from "../telemetry/breaker-metrics.ts";
import { CONTENT_TYPES, formatFor, type Format } from "../telemetry/exposition.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: object): Page => ({
  status,
  type: "application/json",
  body: `${stringify(value)}\n`,
});

export interface AdminPortOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Probes, health and metrics, apart from the MCP port: it answers to any host name, since the kubelet asks by the pod's address,
 * and to no web page.
 */
export function createAdminPort({ health, metrics, logger }: AdminPortOptions): Server {
  const scrape = async ({ accept }: IncomingHttpHeaders, text: (format: Format) => string | Promise<string>) => {
    const format = formatFor(accept);
    return { status: 200, type: CONTENT_TYPES[format], body: await text(format) };
  };
  const pages: Readonly<Record<string, (headers: IncomingHttpHeaders) => Page | Promise<Page>>> = {
    // That this line runs is the answer.
    "/livez": () => json(200, { live: true }),
    "/readyz": () => json(health.ready ? 200 : 503, { ready: health.ready }),
    "/health": () => {
      const report = health.report();
      return json(report.status === "critical" ? 503 : 200, report);
    },
    "/metrics": (headers) => scrape(headers, (format) => metrics.text(format)),
    "/metrics/circuit_breaker": (headers) => scrape(headers, (format) => metrics.textOf(BREAKER_METRICS, format)),
  };

  return createServer((request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const answer = async (): Promise<Page> => {
      if (request.headers.origin !== undefined) return json(403, { error: "the admin port answers no web page" });
      if (request.method !== "GET" && request.method !== "HEAD") return json(405, { error: "only GET" });
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
      return (
        (await page?.(request.headers)) ??
        json(404, { error: `no such page; there are ${Object.keys(pages).join(", ")}` })
      );
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
      logger.error({ err: error, path }, "an admin page failed");
      send(json(500, { error: String(error) }));
    });
  });
}
