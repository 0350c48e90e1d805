import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readExport, type ReceivedSpan } from "./otlp.ts";

/** A collector of traces on 127.0.0.1, which takes what OTLP over HTTP brings it. */
export interface Collector {
  readonly environment: { readonly OTEL_EXPORTER_OTLP_ENDPOINT: string };
  readonly spans: readonly ReceivedSpan[];
  /** Headers of the requests so far. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** The only span of this name; there must be one. */
  span(name: string): ReceivedSpan;
  close(): Promise<void>;
}

/** @param answer - what to do with a request whose spans have been read */
export async function startCollector(
  answer: (response: ServerResponse) => void = (response) => response.end(),
): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      if (request.url === "/v1/traces") spans.push(...readExport(body));
      headers.push(request.headers);
      answer(response);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    spans,
    headers,
    span(name) {
      const found = spans.filter((span) => span.name === name);
      if (found.length === 1 && found[0] !== undefined) return found[0];
      throw new Error(`${found.length} spans '${name}' among ${spans.map((span) => `'${span.name}'`).join(", ")}`);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
