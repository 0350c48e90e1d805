import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { connect, type RunningApp } from "../running-app.ts";
import { startIssuer, type Issuer } from "./issuer.ts";
import { bearer, callOf, connectWith, send, startProtectedApp } from "./protected-app.ts";

const METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

let issuer: Issuer;

beforeAll(async () => {
  issuer = await startIssuer();
});

afterAll(() => issuer.close());

describe("a tool that needs scopes", () => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await startProtectedApp(issuer.environment);
  });

  afterAll(() => app.close());

  const modern = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1.0.0" },
  };

  it.each([
    ["2025", {}, callOf("guarded")],
    [
      "2026",
      { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "guarded" },
      { ...callOf("guarded"), params: { ...callOf("guarded").params, _meta: modern } },
    ],
  ])("answers 403 and names all of them, in the %s era", async (_, headers, body) => {
    const token = await issuer.token({ scope: "weather breakers:read" });
    const answer = await send(app, { headers: { ...bearer(token), ...headers }, body: JSON.stringify(body) });

    expect(answer.status).toBe(403);
    expect(answer.headers["www-authenticate"]).toBe(
      `Bearer error="insufficient_scope", error_description="Insufficient scope", scope="breakers:write breakers:read", resource_metadata="${METADATA}"`,
    );
  });

  it("answers 403 to a batch that hides the call among others", async () => {
    const body = JSON.stringify([callOf("who_am_i"), { ...callOf("guarded"), id: 2 }]);

    expect((await send(app, { headers: bearer(await issuer.token()), body })).status).toBe(403);
  });

  it.each([
    ["in one text", { scope: "breakers:read  breakers:write weather" }],
    ["as a list", { scope: ["breakers:read", "breakers:write"] }],
    ["under the name that some issuers use", { scp: ["breakers:read", "breakers:write"] }],
  ])("runs for a token that grants them %s", async (_, claims) => {
    const client = await connectWith(app, "2026", () => issuer.token(claims));
    const { structuredContent } = await client.callTool({ name: "guarded", arguments: {} });
    await client.close();

    expect(structuredContent).toEqual({ client: "subject:alice" });
  });

  it.each(["breakers:write", "breakers:writebreakers:read", "breakers", "*", "BREAKERS:WRITE BREAKERS:READ"])(
    "does not take '%s' for them",
    async (scope) => {
      const headers = bearer(await issuer.token({ scope }));

      expect((await send(app, { headers, body: JSON.stringify(callOf("guarded")) })).status).toBe(403);
    },
  );

  it("is listed for whoever has a token, and leaves other tools alone", async () => {
    const client = await connectWith(app, "2026", () => issuer.token());
    const { tools } = await client.listTools();
    const { isError } = await client.callTool({ name: "simple_health", arguments: {} });
    await client.close();

    expect(tools.map(({ name }) => name)).toContain("guarded");
    expect(isError).toBeUndefined();
  });
});

describe("an official client that is told nothing but the server's address", () => {
  it.each(["2025", "2026"] as const)(
    "finds the issuer, gets a token, and gets one with more scopes when a tool needs them, in the %s era",
    async (era) => {
      const port = String(await freePort());
      const resource = `http://127.0.0.1:${port}/mcp`;
      const app = await startProtectedApp({
        ...issuer.environment,
        MCP_PORT: port,
        AUTH_AUDIENCE: resource,
        AUTH_REQUIRED_SCOPES: "mcp",
      });
      const client = new Client(
        { name: "test", version: "1.0.0" },
        era === "2026" ? { versionNegotiation: { mode: { pin: "2026-07-28" } } } : {},
      );
      const asked = issuer.asked.length;
      const authProvider = new ClientCredentialsProvider({
        clientId: "tests",
        clientSecret: "a secret",
        expectedIssuer: issuer.url,
      });
      await client.connect(new StreamableHTTPClientTransport(app.endpoint, { authProvider }));
      const before = await client.callTool({ name: "who_am_i", arguments: {} });
      const after = await client.callTool({ name: "guarded", arguments: {} });
      await client.close();
      await app.close();

      expect([before, after].map(({ structuredContent }) => structuredContent)).toEqual([
        { client: "subject:a-machine" },
        { client: "subject:a-machine" },
      ]);
      expect(issuer.asked.slice(asked)).toEqual(["mcp", "mcp breakers:write breakers:read"]);
    },
  );
});

describe("scopes that every call needs", () => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await startProtectedApp({ ...issuer.environment, AUTH_REQUIRED_SCOPES: "mcp,weather" });
  });

  afterAll(() => app.close());

  it("are named to who has no token, so that the first one grants them", async () => {
    const { status, headers } = await send(app);

    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(`Bearer scope="mcp weather", resource_metadata="${METADATA}"`);
  });

  it("are named in a 403 to who has a token without them", async () => {
    const { status, headers } = await send(app, { headers: bearer(await issuer.token({ scope: "mcp" })) });

    expect(status).toBe(403);
    expect(headers["www-authenticate"]).toContain('error="insufficient_scope"');
    expect(headers["www-authenticate"]).toContain('scope="mcp weather"');
  });

  it("are named together with those of a tool", async () => {
    const headers = bearer(await issuer.token({ scope: "mcp weather" }));
    const answer = await send(app, { headers, body: JSON.stringify(callOf("guarded")) });

    expect(answer.headers["www-authenticate"]).toContain('scope="mcp weather breakers:write breakers:read"');
  });
});

describe("the protected resource's metadata", () => {
  it.each([
    ["https://mcp.example.com/mcp", "/.well-known/oauth-protected-resource/mcp"],
    ["https://mcp.example.com/mcp", "/.well-known/oauth-protected-resource"],
    ["https://example.com/behind/a/prefix", "/.well-known/oauth-protected-resource/behind/a/prefix"],
    ["https://mcp.example.com", "/.well-known/oauth-protected-resource"],
  ])("of %s is at %s, for anybody", async (audience, path) => {
    const app = await startProtectedApp({
      ...issuer.environment,
      AUTH_AUDIENCE: audience,
      AUTH_REQUIRED_SCOPES: "mcp",
    });
    const get = await send(app, { path, method: "GET" });
    const head = await send(app, { path, method: "HEAD" });
    const post = await send(app, { path });
    const elsewhere = await send(app, { path: `${path}/more`, method: "GET" });
    const foreign = await send(app, { path, method: "GET", headers: { host: "evil.example" } });
    await app.close();

    expect(get).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
    expect(get.body).toEqual({
      resource: audience,
      authorization_servers: [issuer.url],
      scopes_supported: ["mcp"],
      bearer_methods_supported: ["header"],
    });
    expect([head.status, head.body]).toEqual([200, undefined]);
    expect([post.status, post.headers.allow]).toEqual([405, "GET, HEAD"]);
    expect([elsewhere.status, foreign.status]).toEqual([404, 403]);
  });
});

describe("with authorization off", () => {
  it("anybody may call as their address, tools that need scopes refuse and say why, and there is no metadata", async () => {
    const app = await startProtectedApp({ AUTH_MODE: "off" });
    const client = await connect(app.endpoint, "2026");
    const open = await client.callTool({ name: "who_am_i", arguments: {} });
    const refused = await client.callTool({ name: "guarded", arguments: {} });
    await client.close();
    const metadata = await send(app, { path: "/.well-known/oauth-protected-resource", method: "GET" });
    await app.close();

    expect(open.structuredContent).toEqual({ client: "address:127.0.0.1" });
    expect(refused).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("needs a scope that you have not been granted: breakers:write") }],
      _meta: { "mcp-bluegreen/error": { kind: "caller_error" } },
    });
    expect(metadata.status).toBe(404);
  });

  it("a token is no business of anybody's: it is neither checked nor passed on", async () => {
    const app = await startProtectedApp({ AUTH_MODE: "off" });
    const { status, body } = await send(app, { headers: bearer("nonsense") });
    await app.close();

    expect(status).toBe(200);
    expect(body).toMatchObject({ result: { structuredContent: { client: "address:127.0.0.1" } } });
  });

  it("scopes are everybody's where the configuration says so", async () => {
    const app = await startProtectedApp({ AUTH_MODE: "off", AUTH_OFF_SCOPES: "breakers:read,breakers:write" });
    const client = await connect(app.endpoint, "2026");
    const { structuredContent } = await client.callTool({ name: "guarded", arguments: {} });
    await client.close();
    await app.close();

    expect(structuredContent).toEqual({ client: "address:127.0.0.1" });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
