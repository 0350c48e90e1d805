import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from "@opentelemetry/api";
import { TraceState } from "@opentelemetry/core";
import type { Decision, Trace } from "../../resilience/trace.ts";
import { outsideTraces, type Ending, type RequestTrace, type TracedRequest } from "../request-trace.ts";
import type { TraceContext } from "../trace-context.ts";

/** Characters of text from a client. */
const MAX_LENGTH = 256;

/**
 * The span of one MCP request. Decisions of policies and outgoing requests are its children.
 *
 * A decision is a span and not an event, because some take time, and because OpenTelemetry
 * deprecates span events.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/#server
 */
export class RequestSpan implements RequestTrace, Trace {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;
  /**
   * Offset from the monotonic clock to the time of day. One for all spans of a request, so that
   * none begins before its parent.
   */
  readonly #epoch = Date.now() - performance.now();

  constructor(tracer: Tracer, request: TracedRequest) {
    const { method, tool, message, http } = request;
    const parent = message ?? http;
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent));
    this.#tracer = tracer;
    this.#span = tracer.startSpan(
      tool === "" ? method : `${method} ${tool}`,
      {
        kind: SpanKind.SERVER,
        startTime: this.now,
        attributes: attributesOf(request),
        // The trace context in the message takes precedence over the HTTP request's.
        links: message !== undefined && http !== undefined ? [{ context: remote(http) }] : [],
      },
      context,
    );
    this.#context = trace.setSpan(context, this.#span);
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.sampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
  }

  get decisions(): Trace | undefined {
    return this.#span.isRecording() ? this : undefined;
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#epoch + performance.now();
  }

  decided({ policy, name = "", decision, took = 0, details = {} }: Decision): void {
    const now = this.now;
    const span = this.begin(`${policy} ${name}`.trim(), SpanKind.INTERNAL, now - took, {
      "resilience.policy": policy,
      ...(name === "" ? {} : { "resilience.name": name }),
      "resilience.decision": decision,
      ...Object.fromEntries(Object.entries(details).map(([key, value]) => [`resilience.${snakeCase(key)}`, value])),
    });
    this.over(span, now);
  }

  /** A child of this span. */
  begin(name: string, kind: SpanKind, startTime: number, attributes: Attributes): Span {
    return this.#tracer.startSpan(name, { kind, startTime, attributes }, this.#context);
  }

  /** Ends a span outside of the request's trace, because its export is not part of the request. */
  over(span: Span, at = this.now): void {
    outsideTraces(() => {
      span.end(at);
    });
  }

  end({ errorType, code, message }: Ending): void {
    if (errorType !== "") {
      this.#span.setAttribute("error.type", errorType);
      this.#span.setStatus({
        code: SpanStatusCode.ERROR,
        ...(message === undefined ? {} : { message: shortened(message) }),
      });
    }
    if (code !== undefined) this.#span.setAttribute("rpc.response.status_code", String(code));
    this.over(this.#span);
  }
}

function attributesOf({ id, method, tool, uri, protocolVersion, client }: TracedRequest): Attributes {
  return {
    "mcp.method.name": method,
    "jsonrpc.request.id": shortened(String(id)),
    "network.transport": "tcp",
    "network.protocol.name": "http",
    ...(tool === "" ? {} : { "gen_ai.tool.name": tool, "gen_ai.operation.name": "execute_tool" }),
    ...(uri === undefined ? {} : { "mcp.resource.uri": shortened(uri) }),
    ...(protocolVersion === undefined ? {} : { "mcp.protocol.version": protocolVersion }),
    ...(client === undefined || client === "" ? {} : { "client.address": client }),
  };
}

function remote({ traceId, spanId, sampled, tracestate }: TraceContext): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: new TraceState(tracestate) }),
  };
}

/** Copied, because a substring keeps the whole string in memory, and many spans wait to be sent. */
function shortened(text: string): string {
  return text.length <= MAX_LENGTH ? text : Buffer.from(text.slice(0, MAX_LENGTH)).toString();
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
