import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { Health } from "../health/health.ts";
import { stringify } from "../json/well-formed.ts";
import { BREAKER_METRICS } from "../telemetry/breaker-metrics.ts";
import { CONTENT_TYPES, formatFor, type Format } from "../telemetry/exposition.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { discard } from "./body.ts";
import { createHttpServer, TIMEOUTS } from "./http-server.ts";
import { HttpError } from "../errors/http-error.ts";
import { readTarget } from "./request-head.ts";

/** Bytes of an unexpected body that are read. */
const MAX_DISCARDED = 1024 * 1024;

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const json = (status: number, value: object, headers?: Readonly<Record<string, string>>): Page => ({
  status,
  headers,
  type: "application/json",
  body: `${stringify(value)}\n`,
});

export interface AdminPortOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Probes, health and metrics on a separate port. It accepts any host name, because the kubelet uses
 * the pod's address, and rejects web pages. It never sheds load.
 */
export function createAdminPort({ health, metrics, logger }: AdminPortOptions): Server {
  const scrape = async ({ accept }: IncomingHttpHeaders, text: (format: Format) => string | Promise<string>) => {
    const format = formatFor(accept);
    return { status: 200, type: CONTENT_TYPES[format], body: await text(format) };
  };
  const pages: Readonly<Record<string, (headers: IncomingHttpHeaders) => Page | Promise<Page>>> = {
    // A process that hangs does not answer.
    "/livez": () => json(200, { live: true }),
    "/readyz": () => json(health.ready ? 200 : 503, { ready: health.ready }),
    "/health": () => {
      const report = health.report();
      return json(report.status === "critical" ? 503 : 200, report);
    },
    "/metrics": (headers) => scrape(headers, (format) => metrics.text(format)),
    "/metrics/circuit_breaker": (headers) => scrape(headers, (format) => metrics.textOf(BREAKER_METRICS, format)),
  };

  async function answer(request: IncomingMessage): Promise<Page> {
    const { path } = readTarget(request);
    if (request.headers.origin !== undefined) return json(403, { error: "the admin port answers no web page" });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return json(405, { error: "only GET and HEAD" }, { allow: "GET, HEAD" });
    }
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    return (
      (await page?.(request.headers)) ??
      json(404, { error: `no such page; there are ${Object.keys(pages).join(", ")}` })
    );
  }

  async function serve(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): Promise<void> {
    const send = ({ status, type, body, headers }: Page) => {
      response.writeHead(status, {
        ...headers,
        "content-type": type,
        "content-length": String(Buffer.byteLength(body)),
        ...(health.ready && request.complete ? {} : { connection: "close" }),
      });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const page = await answer(request).catch((error: unknown) => {
      if (error instanceof HttpError) return json(error.status, { error: error.message }, error.details.headers);
      logger.error({ err: error, path: request.url }, "an admin page failed");
      return json(500, { error: String(error) });
    });
    // An unread body would reset the connection, and the answer would be lost.
    if (!awaitsContinue) await discard(request, MAX_DISCARDED, TIMEOUTS.discard);
    if (!response.destroyed && !response.headersSent) send(page);
  }

  return createHttpServer({
    timeouts: TIMEOUTS,
    headers: {},
    serve: (...incoming) => {
      void serve(...incoming);
    },
  });
}
