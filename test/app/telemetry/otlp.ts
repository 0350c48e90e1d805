/** A span as the collector gets it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  readonly tracestate: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Attributes;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly error: boolean;
  readonly message: string;
  readonly resource: Attributes;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Reads an export request.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export function readExport(body: Buffer): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const resource = messages(resourceSpans, 1).map(attributesOf(1))[0] ?? {};
    return messages(resourceSpans, 2).flatMap((scopeSpans) =>
      messages(scopeSpans, 2).map((span) => ({ ...readSpan(span), resource })),
    );
  });
}

const KINDS = ["internal", "internal", "server", "client"] as const;
const ERROR = 2;

function readSpan(span: Buffer): Omit<ReceivedSpan, "resource"> {
  const status = messages(span, 15)[0] ?? Buffer.alloc(0);
  return {
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    tracestate: text(span, 3),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    kind: KINDS[Number(number(span, 6))] ?? "internal",
    start: number(span, 7),
    end: number(span, 8),
    attributes: attributesOf(9)(span),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    error: Number(number(status, 3)) === ERROR,
    message: text(status, 2),
  };
}

const attributesOf =
  (field: number) =>
  (message: Buffer): Attributes =>
    Object.fromEntries(messages(message, field).map((pair) => [text(pair, 1), valueOf(messages(pair, 2)[0])]));

function valueOf(value: Buffer = Buffer.alloc(0)): string | number | boolean {
  for (const [field, content] of fields(value)) {
    if (field === 1 && typeof content !== "bigint") return content.toString();
    if (field === 2) return content === 1n;
    if (field === 3) return Number(content);
    if (field === 4 && typeof content === "bigint")
      return new Float64Array(BigUint64Array.of(content).buffer)[0] ?? NaN;
  }
  throw new Error(`an attribute of a kind that this test does not know: ${value.toString("hex")}`);
}

const messages = (message: Buffer, wanted: number): Buffer[] =>
  [...fields(message)].flatMap(([field, content]) => (field === wanted && typeof content !== "bigint" ? content : []));

const text = (message: Buffer, field: number): string => messages(message, field)[0]?.toString() ?? "";

const hex = (message: Buffer, field: number): string => messages(message, field)[0]?.toString("hex") ?? "";

const number = (message: Buffer, wanted: number): bigint =>
  [...fields(message)].flatMap(([field, content]) =>
    field === wanted && typeof content === "bigint" ? content : [],
  )[0] ?? 0n;

/** @see https://protobuf.dev/programming-guides/encoding/ */
function* fields(message: Buffer): Generator<[field: number, content: bigint | Buffer]> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    switch (tag & 7) {
      case 0:
        yield [field, varint()];
        break;
      case 1:
        yield [field, message.readBigUInt64LE(at)];
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        yield [field, message.subarray(at, at + length)];
        at += length;
        break;
      }
      case 5:
        yield [field, BigInt(message.readUInt32LE(at))];
        at += 4;
        break;
      default:
        throw new Error(`wire type ${tag & 7} at byte ${at}`);
    }
  }
}
