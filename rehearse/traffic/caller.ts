import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Connection, type ConnectionKind, type Responder } from "./connection.ts";
import { failureOf, messageOf } from "./failure.ts";
import { pulse, type Question } from "./question.ts";
import { wallClock, type Sampler } from "./sampler.ts";

/** The two families of protocol revisions that a server must speak at the same time. */
export type Era = "legacy" | "modern";

export interface CallerKind {
  readonly connection: ConnectionKind;
  readonly era: Era;
}

export interface CallerOptions extends CallerKind {
  readonly url: URL;
  readonly sampler: Pick<Sampler, "answered" | "failed">;
}

/** A call that is to be made. */
export interface Arrival {
  /** When it arrived, on the clock of `performance.now()`. */
  readonly at: number;
  readonly question: Question;
}

/** One MCP client of the official SDK. It makes one call at a time. */
export interface Caller extends AsyncDisposable {
  /** Makes a call and reports how it went. Its latency is measured from its arrival. */
  ask(arrival: Arrival): Promise<void>;
}

export type Opened =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly error: unknown; readonly broken: boolean; readonly responder: Responder };

/** From a call sent to its answer. Time in line before that does not count. */
const TIMEOUT_MS = 5000;

/** Opens a client, the handshake included. */
export async function openCaller(options: CallerOptions): Promise<Opened> {
  const connection = new Connection(options.connection);
  const client = newClient(options.era);
  try {
    const transport = new StreamableHTTPClientTransport(options.url, { fetch: connection.fetch });
    await client.connect(transport, { timeout: TIMEOUT_MS });
  } catch (error) {
    connection.close();
    return { ok: false, error, broken: connection.broken, responder: connection.responder };
  }
  return { ok: true, caller: callerOf(client, connection, options) };
}

function callerOf(client: Client, connection: Connection, options: CallerOptions): Caller {
  const { sampler } = options;
  const name = `${options.connection} ${options.era}`;
  return {
    async ask({ at, question }) {
      const openedAt = wallClock();
      try {
        const answer = await client.callTool(
          { name: question.tool, arguments: { ...question.arguments } },
          { timeout: TIMEOUT_MS },
        );
        const judgment = question.judge(answer);
        const who = { caller: name, ...connection.responder };
        if (judgment.right) {
          const { source } = judgment;
          sampler.answered({
            ...who,
            latencyMs: performance.now() - at,
            ...(question === pulse && options.connection === "fresh" && { openedAt }),
            ...(source && { source }),
          });
        } else {
          sampler.failed({ ...who, failure: judgment.failure, message: judgment.message });
        }
      } catch (error) {
        sampler.failed({
          caller: name,
          failure: failureOf(error, connection.broken),
          message: messageOf(error),
          ...connection.responder,
        });
      }
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      connection.close();
    },
  };
}

/** A client that speaks one era; `modern` is what it negotiates, and what a server of today must offer. */
export function newClient(era: Era): Client {
  return new Client(
    { name: `rehearsal-${era}`, version: "1.0.0" },
    era === "modern" ? { versionNegotiation: { mode: "auto" } } : {},
  );
}
