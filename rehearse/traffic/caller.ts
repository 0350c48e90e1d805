import { Client, SdkHttpError, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Connection, type ConnectionKind, type Responder } from "./connection.ts";
import { failureOf, messageOf } from "./failure.ts";
import { TIMEOUT_MS, type Question } from "./question.ts";
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
  /** Whether its calls time switches. @default false */
  readonly isPulse?: boolean;
}

/** A call that is to be made. */
export interface Arrival {
  /** When it arrived, on the clock of `performance.now()`. */
  readonly at: number;
  readonly question: Question;
}

/** One MCP client of the official SDK. It makes one call at a time. */
export interface Caller extends AsyncDisposable {
  /**
   * Makes a call and reports how it went. Its latency is measured from its arrival.
   *
   * @returns whether the server no longer knew the session of this client. The call is not reported
   * then, because a client has to begin another session and make it again
   */
  ask(arrival: Arrival): Promise<"reported" | "session ended">;
}

export type Opened =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly error: unknown; readonly broken: boolean; readonly responder: Responder };

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

/**
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
const UNKNOWN_SESSION = 404;

function callerOf(client: Client, connection: Connection, options: CallerOptions): Caller {
  const { sampler } = options;
  const name = `${options.connection} ${options.era}`;
  return {
    async ask({ at, question }) {
      const openedAt = wallClock();
      try {
        const judgment = await question.ask(client);
        const who = { caller: name, ...connection.responder };
        if (judgment.right) {
          const { source } = judgment;
          sampler.answered({
            ...who,
            latencyMs: performance.now() - at,
            ...(options.isPulse === true && { openedAt }),
            ...(source && { source }),
          });
        } else {
          sampler.failed({ ...who, failure: judgment.failure, message: judgment.message });
        }
      } catch (error) {
        const hasSession = client.transport?.sessionId !== undefined;
        if (hasSession && error instanceof SdkHttpError && error.status === UNKNOWN_SESSION) return "session ended";
        sampler.failed({
          caller: name,
          failure: failureOf(error, connection.broken),
          message: messageOf(error),
          ...connection.responder,
        });
      }
      return "reported";
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      connection.close();
    },
  };
}

/**
 * A client that speaks one era; `modern` is what it negotiates, and what a server of today must
 * offer.
 */
export function newClient(era: Era): Client {
  return new Client(
    { name: `rehearsal-${era}`, version: "1.0.0" },
    era === "modern" ? { versionNegotiation: { mode: "auto" } } : {},
  );
}
