import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Connection } from "../../../rehearse/traffic/connection.ts";

const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/** Clients that each call in a session of their own, and begin a new one when the server no longer knows it. */
export class Sessions implements AsyncDisposable {
  readonly #over = new AbortController();
  readonly #clients: Promise<{ readonly calls: number; readonly ends: number }>[] = [];

  /** Resolves when every client has a session and an answer. */
  static async open(url: string, count: number): Promise<Sessions> {
    const sessions = new Sessions();
    const deadline = performance.now() + PATIENCE_MS;
    const begun = Array.from({ length: count }, async () => {
      const first = await retried(() => Session.begin(url), deadline);
      sessions.#clients.push(keepCalling(url, first, sessions.#over.signal));
    });
    await Promise.all(begun);
    return sessions;
  }

  /** Ends the clients; tells their calls, and how often the session of each one ended. Throws if a call failed otherwise. */
  async close(): Promise<{ readonly calls: number; readonly ends: readonly number[] }> {
    this.#over.abort();
    const all = await Promise.all(this.#clients);
    return { calls: all.reduce((sum, { calls }) => sum + calls, 0), ends: all.map(({ ends }) => ends) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => undefined);
  }
}

class Session {
  readonly #client = new Client({ name: "e2e", version: "1.0.0" });
  readonly #connection = new Connection("kept");

  static async begin(url: string): Promise<Session> {
    const session = new Session();
    const { fetch } = session.#connection;
    await session.#client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch }));
    await session.call();
    return session;
  }

  async call(): Promise<void> {
    const { isError } = await this.#client.callTool({ name: "to_feet", arguments: { meters: 100 } });
    if (isError === true) throw new Error("the tool failed");
  }

  async end(): Promise<void> {
    // The server has forgotten it, or is about to.
    await this.#client.close().catch(() => undefined);
    this.#connection.close();
  }
}

async function keepCalling(url: string, first: Session, signal: AbortSignal) {
  let session = first;
  let calls = 1;
  let ends = 0;
  while (!signal.aborted) {
    try {
      await session.call();
      calls += 1;
    } catch (error) {
      if (!isUnknownSession(error)) throw error;
      ends += 1;
      await session.end();
      session = await Session.begin(url);
    }
    await sleep(PAUSE_MS);
  }
  await session.end();
  return { calls, ends };
}

/** The answer to a session that the server does not know: HTTP 404. */
const isUnknownSession = (error: unknown): boolean => error instanceof Error && /\b404\b|session/i.test(error.message);

async function retried<T>(attempt: () => Promise<T>, deadline: number): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
