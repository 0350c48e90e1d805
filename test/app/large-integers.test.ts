import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { answer, type Tool } from "../../app/src/tools/tool.ts";
import { startUpstream, type TestUpstream } from "./outbound/upstream.ts";
import { startTestApp, type RunningApp } from "./running-app.ts";

const ID = "725653563933458432";

const echo: Tool<{ readonly value?: unknown }> = {
  name: "echo",
  title: "Echo",
  description: "Answers with what it was given.",
  inputSchema: z.object({ value: z.unknown() }),
  outputSchema: z.object({ value: z.unknown() }),
  annotations: {},
  handle: ({ value }) => answer({ value }, "as given"),
};

let folder: string;
let upstream: TestUpstream;
let app: RunningApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "large-integers-"));
  upstream = await startUpstream();
  app = await startTestApp(
    {
      OUTBOUND_ALLOW: upstream.origin,
      OUTBOUND_ALLOW_PRIVATE: "127.0.0.1",
      OUTBOUND_POOLS: `pool=${upstream.origin}`,
      DATA_DIR: folder,
    },
    { tools: (tools) => [...tools, echo] },
  );
});

afterAll(async () => {
  await app.close();
  await upstream.close();
  await rm(folder, { recursive: true });
});

const sayingJson = (body: string) => {
  upstream.answerWith((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  });
};

/** Sends JSON text as it is, since the official client writes doubles, and returns the answer as it was sent. */
async function post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
  const response = await fetch(app.endpoint, { method: "POST", body, headers: all });
  const text = await response.text();
  return /^data: (\{.*)$/m.exec(text)?.[1] ?? text;
}

const call = (name: string, args: string, headers?: Readonly<Record<string, string>>) =>
  post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`, headers);

const storedUnder = (key: string): unknown => {
  using database = new DatabaseSync(join(folder, "store.sqlite"), { readOnly: true });
  return database.prepare("SELECT value FROM records WHERE key = ?").get(key)?.value;
};

describe("an integer that a double cannot hold", () => {
  it.each([
    ["resilient_api_call", (args: string) => `{"url":"${upstream.origin}/",${args}}`],
    ["retry_api_call", (args: string) => `{"url":"${upstream.origin}/",${args}}`],
    ["load_balanced_request", (args: string) => `{"pool":"pool","path":"/",${args}}`],
    ["async_batch_requests", (args: string) => `{"requests":[{"url":"${upstream.origin}/",${args}}]}`],
  ])("is the same at the API that %s calls, and on the way back", async (tool, argumentsWith) => {
    sayingJson(`{"id":${ID},"ids":[-${ID},9007199254740993]}`);
    const said = await call(tool, argumentsWith(`"method":"PUT","body":{"id":${ID},"n":[0.1]}`));

    expect(upstream.asked.at(-1)?.body).toBe(`{"id":${ID},"n":[0.1]}`);
    expect(said).toContain(`"body":{"id":${ID},"ids":[-${ID},9007199254740993]}`);
    if (tool !== "async_batch_requests") expect(said).toContain(String.raw`{\"id\":${ID},\"ids\":[-${ID}`);
  });

  it("is the same in the store, and tells two writes of one idempotency key apart", async () => {
    const write = (id: string) => call("store_data_resilient", `{"key":"k","value":{"id":${id}},"idempotencyKey":"i"}`);

    expect(await write(ID)).toContain('"status":"stored"');
    expect(storedUnder("k")).toBe(`{"id":${ID}}`);
    expect(await write(ID)).toContain('"replayed":true');
    for (const other of ["725653563933458433", `"${ID}"`, `"${ID}n"`])
      expect(await write(other)).toContain("the idempotency key was used before for another key or value");
  });

  it("is refused where a number is expected, and as the whole body of a request", async () => {
    const n = await call("cached_expensive_operation", `{"operation":"prime_check","n":${ID}}`);
    expect(n).toContain("n: must be a whole number from 0 to 100000000000000");

    const body = await call("resilient_api_call", `{"url":"${upstream.origin}/","method":"PUT","body":${ID}}`);
    expect(body).toContain("body: must be a text, or an object or a list that is sent as JSON");
  });

  it.each<Readonly<Record<string, string>>>([{}, { "mcp-protocol-version": "2025-11-25" }])(
    "is refused as the id of a request, which its answer could not name (%j)",
    async (headers) => {
      const said = await post(`{"jsonrpc":"2.0","id":${ID},"method":"tools/list"}`, headers);

      expect(JSON.parse(said)).toMatchObject({ error: { code: expect.any(Number) }, id: null });
    },
  );

  it("is refused in a request so long that it would take the event loop too long", async () => {
    const said = await call("echo", `{"value":[${`${ID},`.repeat(20_000)}0]}`);

    expect(said).toContain("a body with integers of 16 and more digits may have at most 262144 characters");
  });

  it("is the same in the answer of a tool that somebody adds", async () => {
    expect(await call("echo", `{"value":[${ID}]}`)).toContain(`"value":[${ID}]`);
  });
});

describe("a number that is too large for a double", () => {
  it.each(["1e400", "-1e400", "9".repeat(400)])("is refused in what is sent to an API or stored (%s)", async (n) => {
    const put = `{"url":"${upstream.origin}/","method":"PUT","body":{"n":${n}}}`;

    expect(await call("resilient_api_call", put)).toContain("'body' has a number in it that is too large");
    expect(await call("store_data_resilient", `{"key":"n","value":[${n}]}`)).toContain(
      "'value' has a number in it that is too large",
    );
    expect(storedUnder("n")).toBeUndefined();
  });

  it("is shown as an API has written it, in the text of the JSON", async () => {
    sayingJson('{"n":1e400}');

    expect(await call("resilient_api_call", `{"url":"${upstream.origin}/"}`)).toContain(
      String.raw`"body":"{\"n\":1e400}"`,
    );
  });
});
