import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { acceptedContent, inputRequired, type McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { RegisterContext } from "../../../app/src/app.ts";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect, startTestApp } from "../running-app.ts";
import { startIssuer, type Issuer } from "./issuer.ts";
import { bearer, connectWith } from "./protected-app.ts";

let issuer: Issuer;

beforeAll(async () => {
  issuer = await startIssuer();
});

afterEach(killProcesses);

afterAll(() => issuer.close());

/** A tool that asks back, and one that tells all it knows of its request. */
function register(server: McpServer, { requestState }: RegisterContext): void {
  server.registerTool("confirm", { inputSchema: z.object({}) }, async (_args, context) => {
    const { inputResponses, requestState: given } = context.mcpReq;
    if (acceptedContent(inputResponses, "sure") !== undefined && given() !== undefined) {
      return { content: [{ type: "text", text: "confirmed" }] };
    }
    const requestedSchema = { type: "object" as const, properties: { yes: { type: "boolean" as const } } };
    return inputRequired({
      inputRequests: { sure: inputRequired.elicit({ message: "Sure?", requestedSchema }) },
      requestState: await requestState.mint({ asked: true }, context),
    });
  });
  server.registerTool("tell", { inputSchema: z.object({}) }, (_args, { http }) => ({
    content: [{ type: "text", text: JSON.stringify([http?.authInfo, ...(http?.req?.headers ?? [])]) }],
  }));
}

describe("the state that a client carries between rounds of a call", () => {
  it.each([
    ["goes on counting for the client it was given to", "alice", "confirmed"],
    ["is worth nothing to another", "bob", undefined],
  ])("%s", async (_, second, text) => {
    const app = await startTestApp(issuer.environment, { register });
    let subject = "alice";
    const client = new Client(
      { name: "test", version: "1.0.0" },
      { versionNegotiation: { mode: { pin: "2026-07-28" } }, capabilities: { elicitation: {} } },
    );
    client.setRequestHandler("elicitation/create", () => {
      subject = second;
      return { action: "accept", content: { yes: true } };
    });
    const authProvider = { token: () => issuer.token({ sub: subject }) };
    await client.connect(new StreamableHTTPClientTransport(app.endpoint, { authProvider }));
    const answer = await client.callTool({ name: "confirm", arguments: {} }).then(
      ({ content }) => content,
      (error: unknown) => String(error),
    );
    await client.close();
    await app.close();

    expect(answer).toEqual(text === undefined ? expect.stringContaining("requestState") : [{ type: "text", text }]);
  });
});

describe("a listen stream", () => {
  it("ends when the token it was opened with does", async () => {
    const app = await startTestApp({ ...issuer.environment, AUTH_CLOCK_TOLERANCE: "0s" });
    const exp = Math.floor(Date.now() / 1000) + 2;
    const client = await connectWith(app, "2026", () => issuer.token({ exp }));
    const stream = await client.listen({ toolsListChanged: true });
    const end = await stream.closed;
    const endedAt = Date.now() / 1000;
    await client.close();
    await app.close();

    expect(end).toBe("remote");
    expect(endedAt).toBeGreaterThanOrEqual(exp - 0.01);
  });
});

describe("a token", () => {
  it.each([
    ["checked", () => issuer.environment],
    ["not asked for", () => ({})],
  ])("is %s and then gone: no tool can pass it on", async (_, environment) => {
    const app = await startTestApp(environment(), { register });
    const token = await issuer.token();
    const withToken: typeof fetch = (input, init) =>
      fetch(input, { ...init, headers: [...new Headers(init?.headers), ["authorization", `Bearer ${token}`]] });
    const client = await connect(app.endpoint, "2026", withToken);
    const { content } = await client.callTool({ name: "tell", arguments: {} });
    await client.close();
    await app.close();

    expect(JSON.stringify(content)).toContain("mcp-protocol-version");
    for (const part of token.split(".")) expect(JSON.stringify(content)).not.toContain(part);
  });

  it("is never logged, good or bad, whatever is logged", async () => {
    const app = await startProcess({ ...issuer.environment, LOG_LEVEL: "trace", KEEP_ALIVE_TIMEOUT: "100ms" });
    const tokens = [
      await issuer.token(),
      await issuer.token({ exp: 1 }),
      await issuer.token({ aud: "https://other.example" }),
      "not.a.token",
    ];
    for (const token of tokens) {
      const url = `http://127.0.0.1:${app.mcpPort}/mcp`;
      await fetch(url, { method: "POST", headers: bearer(token), body: "{}" });
      await fetch(`${url}?access_token=${token}`, { method: "POST", headers: bearer(token), body: "{}" });
    }
    app.process.kill("SIGTERM");
    const { code, stdout, stderr } = await app.exit;

    expect(code).toBe(0);
    expect(stdout).toContain("The token has expired");
    for (const part of tokens.flatMap((token) => (token.length > 20 ? token.split(".") : [token]))) {
      expect(stdout + stderr).not.toContain(part);
    }
  });
});
