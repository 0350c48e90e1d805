import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startUpstream, type Respond, type TestUpstream } from "./outbound/upstream.ts";
import { startTestApp, type RunningApp } from "./running-app.ts";

const answers: Readonly<Record<string, Respond>> = {
  "/long": (_request, response) => {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(`${"x".repeat(1999)}😀`);
  },
  "/error": (_request, response) => {
    response.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(`x${"😀".repeat(200)}`);
  },
  "/half": (_request, response) => {
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(String.raw`{"cut\ud83d":"\uD83D","whole":"\ud83d\ude00"}`);
  },
};

let upstream: TestUpstream;
let app: RunningApp;

beforeAll(async () => {
  upstream = await startUpstream((request, response, body) => answers[request.url ?? ""]?.(request, response, body));
  app = await startTestApp({ OUTBOUND_ALLOW: upstream.origin, OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const HALF = String.raw`\ud83d`;

interface Message {
  readonly method?: string;
  readonly result?: { readonly content?: readonly { readonly text: string }[]; readonly structuredContent?: object };
}

/** Sends JSON text as it is, and returns each message of the answer as it was sent. */
async function send(body: string): Promise<readonly string[]> {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const response = await fetch(app.endpoint, { method: "POST", body, headers });
  const text = await response.text();
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return [text];
  return text.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice("data: ".length)] : []));
}

/** The answer to a call; all that was sent of it is well-formed. */
async function call(name: string, args: string, meta = "{}"): Promise<Message> {
  const params = `{"name":"${name}","arguments":${args},"_meta":${meta}}`;
  const messages = await send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
  for (const message of messages) expectWellFormed(message);
  return JSON.parse(messages.at(-1) ?? "") as Message;
}

function expectWellFormed(json: string): void {
  JSON.parse(json, (name, value: unknown) => {
    expect([name.isWellFormed(), typeof value !== "string" || value.isWellFormed()]).toEqual([true, true]);
    return value;
  });
}

const textOf = ({ result }: Message) => result?.content?.[0]?.text ?? "";

describe("an answer of the app is well-formed Unicode", () => {
  it("where a text is cut in the middle of a character", async () => {
    expect(textOf(await call("resilient_api_call", `{"url":"${upstream.origin}/long"}`))).toMatch(/xx\ufffd$/);
  });

  it("where an excerpt of an API's error is cut", async () => {
    const args = `{"url":"${upstream.origin}/error","method":"POST"}`;

    expect(textOf(await call("resilient_api_call", args))).toMatch(/answered 500 Internal Server Error: x😀+\ufffd\./u);
  });

  it("where an API sends half a character, in names, values and the text of the JSON", async () => {
    const answer = await call("resilient_api_call", `{"url":"${upstream.origin}/half"}`);

    expect(answer.result?.structuredContent).toMatchObject({ body: { "cut\ufffd": "\ufffd", whole: "😀" } });
    expect(textOf(answer)).toMatch(/\n\{"cut\ufffd":"\ufffd","whole":"😀"\}$/);
  });

  it("where an error message of the runtime quotes half a character", async () => {
    const answer = await call("async_parallel_processing", '{"items":["😀"],"operation":"json_validate"}');

    expectWellFormed(textOf(answer).replace(/^.*?: /, ""));
  });

  it("where a caller's text is repeated, in a result, a refusal or an event", async () => {
    expect(textOf(await call("get_weather_with_fallback", `{"city":1,"${HALF}":1}`))).toContain("'\ufffd'");
    for (const message of await send(`{"jsonrpc":"2.0","id":"${HALF}","method":"${HALF}"}`)) expectWellFormed(message);

    const items = `{"items":["a","b"],"operation":"sha256"}`;
    const params = `{"name":"async_parallel_processing","arguments":${items},"_meta":{"progressToken":"${HALF}"}}`;
    const messages = await send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`);
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) expectWellFormed(message);
  });
});
