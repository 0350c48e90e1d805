import { SpanKind, SpanStatusCode, type Span } from "@opentelemetry/api";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { currentTrace } from "../request-trace.ts";
import { traceparent } from "../trace-context.ts";
import { RequestSpan } from "./request-span.ts";

/** A request of `fetch` in the messages of its channels. */
interface FetchRequest {
  readonly method: string;
  readonly origin: string | URL;
  readonly path: string;
  addHeader(name: string, value: string): unknown;
}

interface Outgoing {
  readonly trace: RequestSpan;
  readonly span: Span;
}

/**
 * Creates a span for each HTTP request that the app makes for an MCP request, and adds a
 * `traceparent`. Node's diagnostics channels report the requests of `fetch` and node:http.
 *
 * @returns a function that stops it
 * @see https://nodejs.org/api/diagnostics_channel.html#built-in-channels
 * @see https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
export function followOutgoingRequests(): () => void {
  const underWay = new WeakMap<object, Outgoing>();

  function begin(request: object, method: string, url: URL, addHeader: (name: string, value: string) => unknown): void {
    const trace = currentTrace();
    if (!(trace instanceof RequestSpan)) return;
    const span = trace.begin(method, SpanKind.CLIENT, trace.now, {
      "http.request.method": method,
      // Without credentials and query, which may be secrets.
      "url.full": `${url.origin}${url.pathname}`,
      "server.address": url.hostname,
      "server.port": Number(url.port) || (url.protocol === "https:" ? 443 : 80),
    });
    underWay.set(request, { trace, span });
    const { traceId, spanId, traceState } = span.spanContext();
    addHeader("traceparent", traceparent({ traceId, spanId, sampled: trace.sampled }));
    if (traceState !== undefined) addHeader("tracestate", traceState.serialize());
  }

  function answered(request: object, status: number | undefined): void {
    const span = underWay.get(request)?.span;
    if (status === undefined) return;
    span?.setAttribute("http.response.status_code", status);
    if (status >= 400) span?.setAttribute("error.type", String(status)).setStatus({ code: SpanStatusCode.ERROR });
  }

  function end(request: object, error?: Error & { readonly code?: unknown }): void {
    const outgoing = underWay.get(request);
    underWay.delete(request);
    if (outgoing === undefined) return;
    if (error !== undefined) {
      const type = typeof error.code === "string" ? error.code : error.name;
      outgoing.span.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    outgoing.trace.over(outgoing.span);
  }

  return listen({
    "undici:request:create": ({ request }: { request: FetchRequest }) => {
      begin(request, request.method, new URL(request.path, request.origin), request.addHeader.bind(request));
    },
    "undici:request:headers": ({ request, response }: { request: object; response: { statusCode: number } }) => {
      answered(request, response.statusCode);
    },
    "undici:request:trailers": ({ request }: { request: object }) => {
      end(request);
    },
    "undici:request:error": ({ request, error }: { request: object; error: Error }) => {
      end(request, error);
    },
    "http.client.request.created": ({ request }: { request: ClientRequest }) => {
      const url = URL.parse(request.path, `${request.protocol}//${String(request.getHeader("host"))}`);
      if (url !== null) begin(request, request.method, url, request.setHeader.bind(request));
    },
    "http.client.response.finish": ({ request, response }: { request: ClientRequest; response: IncomingMessage }) => {
      answered(request, response.statusCode);
      end(request);
    },
    "http.client.request.error": ({ request, error }: { request: ClientRequest; error: Error }) => {
      end(request, error);
    },
  });
}

/** Subscribes to channels; Node documents the shapes of their messages. */
function listen(channels: Readonly<Record<string, (message: never) => void>>): () => void {
  const listeners = Object.entries(channels).map(([name, listener]) => ({
    name,
    listener: (message: unknown) => {
      listener(message as never);
    },
  }));
  for (const { name, listener } of listeners) subscribe(name, listener);
  return () => {
    for (const { name, listener } of listeners) unsubscribe(name, listener);
  };
}
