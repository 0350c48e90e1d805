import { Agent, request } from "node:http";

export interface Answer {
  readonly color: string;
  readonly text: string;
}

/** Calls the stand-in's tool with one JSON-RPC request, over a new connection unless an agent keeps one. */
export async function call(url: string, agent?: Agent): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: "POST",
      agent: agent ?? new Agent({ keepAlive: false }),
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      timeout: 10_000,
    });
    outgoing.once("error", reject);
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => {
        resolve({ color: String(response.headers["x-mcp-color"]), text });
      });
    });
    outgoing.end(
      JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "echo", arguments: { text: "hello" } },
      }),
    );
  });
}

/** Someone who calls all the time, over new connections, and remembers what went wrong. */
export class Caller implements AsyncDisposable {
  readonly failures: string[] = [];
  calls = 0;
  readonly #loop: Promise<void>;
  #over = false;

  constructor(url: string) {
    this.#loop = this.#callOn(url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#loop;
  }

  async #callOn(url: string): Promise<void> {
    while (!this.#over) {
      try {
        const { text } = await call(url);
        if (!text.includes('"jsonrpc"')) this.failures.push(text);
      } catch (error) {
        this.failures.push(String(error));
      }
      this.calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
