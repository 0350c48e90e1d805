import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Client } from "@modelcontextprotocol/client";
import { killProcesses, startProcess, type AppProcess } from "./app-process.ts";
import { startIssuer, type Issuer } from "./auth/issuer.ts";
import { newAuthority, type Certificate } from "./certificates.ts";
import { startUpstream, type TestUpstream } from "./outbound/upstream.ts";
import { connect } from "./running-app.ts";
import { startWeatherApi, type WeatherApi } from "./weather-api.ts";

// A process that starts takes its time on a busy machine.
jest.setTimeout(30_000);

const HOUR = 3_600_000;
const SECRET = "Bearer of-the-upstream";

const trusted = newAuthority("an authority that the app trusts");
const unknown = newAuthority("an authority that nobody knows");
const names = ["localhost"];

const NOT_TRUSTED = "has a certificate from an authority that this server does not trust";

/** Servers that do nothing but TLS, in front of one that does all the rest. */
const fronts: { readonly server: Server; readonly sockets: Set<TLSSocket> }[] = [];

/** Attempts to connect, by origin. */
const attempts = new Map<string, number>();

/** @returns `https://localhost:…` */
async function inFrontOf(plain: string, { chain, key }: Certificate): Promise<string> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: chain, key }, (socket) => {
    sockets.add(socket);
    const inner = connectTcp(Number(new URL(plain).port), "127.0.0.1");
    // Either side may break off at any time.
    socket.on("error", () => inner.destroy()).on("close", () => inner.destroy());
    inner.on("error", () => socket.destroy());
    socket.pipe(inner).pipe(socket);
  });
  server.on("tlsClientError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  fronts.push({ server, sockets });
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  server.on("connection", () => attempts.set(origin, (attempts.get(origin) ?? 0) + 1));
  return origin;
}

let folder: string;
let upstream: TestUpstream;
let issuer: Issuer;
let weather: WeatherApi;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-tls-"));
  await writeFile(join(folder, "ca.pem"), trusted.pem);
  [upstream, issuer, weather] = await Promise.all([startUpstream(), startIssuer(), startWeatherApi()]);
  environment = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"), KEEP_ALIVE_TIMEOUT: "100ms" };
});

afterAll(async () => {
  killProcesses();
  for (const { server, sockets } of fronts) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  await Promise.all([upstream.close(), issuer.close(), weather.close()]);
  await rm(folder, { recursive: true });
});

const endpointOf = ({ mcpPort }: AppProcess) => new URL(`http://127.0.0.1:${mcpPort}/mcp`);

/** Ends it, and returns all that it has logged. */
async function logOf({ process, exit }: AppProcess): Promise<string> {
  process.kill("SIGTERM");
  const { stdout, stderr } = await exit;
  return stdout + stderr;
}

const withRoot = ({ chain, key }: Certificate, root: string): Certificate => ({ chain: chain + root, key });

describe("an upstream whose certificate", () => {
  const kinds: Readonly<Record<string, Certificate>> = {
    good: trusted.issue({ names }),
    indirect: trusted.intermediate("an intermediate").issue({ names }),
    "other name": trusted.issue({ names: ["other.example"] }),
    expired: trusted.issue({ names, validFrom: new Date(Date.now() - 2 * HOUR), validTo: new Date(Date.now() - HOUR) }),
    early: trusted.issue({ names, validFrom: new Date(Date.now() + HOUR) }),
    unknown: unknown.issue({ names }),
    "unknown, with its root": withRoot(unknown.issue({ names }), unknown.pem),
    "unknown, indirect": unknown.intermediate("another intermediate").issue({ names }),
  };
  let origins: Readonly<Record<string, string>>;
  let app: AppProcess;
  let client: Client;

  beforeAll(async () => {
    const entries = Object.entries(kinds).map(async ([kind, certificate]) => {
      return [kind, await inFrontOf(upstream.origin, certificate)] as const;
    });
    origins = Object.fromEntries(await Promise.all(entries));
    app = await startProcess({
      ...environment,
      OUTBOUND_ALLOW: [...Object.values(origins), upstream.origin.replace("http:", "https:")].join(","),
      OUTBOUND_ALLOW_PRIVATE: "localhost,127.0.0.1",
    });
    client = await connect(endpointOf(app), "2026");
  });

  afterAll(async () => {
    await client.close();
  });

  const call = async (origin = "") => {
    const before = upstream.asked.length;
    const url = `${origin}/path?token=of-the-address`;
    const { content } = await client.callTool({
      name: "resilient_api_call",
      arguments: { url, headers: { authorization: SECRET } },
    });
    return { text: (content as { text: string }[])[0]?.text, asked: upstream.asked.length - before };
  };

  it.each([
    ["is of an authority in NODE_EXTRA_CA_CERTS", "good"],
    ["is of an intermediate of it", "indirect"],
  ])("%s is called", async (_, kind) => {
    const { text, asked } = await call(origins[kind]);

    expect(text).toContain(" answered 200:");
    expect(asked).toBe(1);
  });

  it.each([
    ["is for another name", "other name", "has a certificate for another name (ERR_TLS_CERT_ALTNAME_INVALID)."],
    ["has expired", "expired", "has a certificate that has expired (CERT_HAS_EXPIRED)."],
    ["is for later", "early", "has a certificate that is not valid yet (CERT_NOT_YET_VALID)."],
    ["nobody knows", "unknown", `${NOT_TRUSTED} (UNABLE_TO_VERIFY_LEAF_SIGNATURE).`],
    ["brings its own authority", "unknown, with its root", `${NOT_TRUSTED} (SELF_SIGNED_CERT_IN_CHAIN).`],
    ["nobody knows at its root", "unknown, indirect", `${NOT_TRUSTED} (UNABLE_TO_GET_ISSUER_CERT_LOCALLY).`],
  ])("%s is told so, once, and gets to see nothing", async (_, kind, says) => {
    const { text, asked } = await call(origins[kind]);

    expect(text).toBe(`${origins[kind]} ${says}`);
    expect(asked).toBe(0);
    expect(attempts.get(origins[kind] ?? "")).toBe(1);
  });

  it("it does not even show, for want of TLS, is told so", async () => {
    const origin = upstream.origin.replace("http:", "https:");

    expect(await call(origin)).toEqual({
      text: `${origin} does not speak TLS as this server does (EPROTO).`,
      asked: 0,
    });
  });

  it("is refused leaves no secret in the log", async () => {
    await call(origins.unknown);
    const log = await logOf(app);

    expect(log).toContain('"listening"');
    expect(log).not.toContain("of-the-");
  });
});

describe("an issuer whose certificate", () => {
  const ask = async (app: AppProcess, token: string) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const response = await fetch(endpointOf(app), { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };

  it("is trusted vouches for tokens", async () => {
    const front = await inFrontOf(issuer.url, trusted.issue({ names }));
    const app = await startProcess({ ...environment, ...issuer.environment, AUTH_JWKS_URL: `${front}/jwks` });

    expect((await ask(app, await issuer.token())).status).toBe(200);
    expect((await ask(app, "no.good.token")).status).toBe(401);
  });

  it("is not trusted lets nobody in; the log says why and holds no token", async () => {
    const front = await inFrontOf(issuer.url, unknown.issue({ names }));
    const app = await startProcess({ ...environment, ...issuer.environment, AUTH_JWKS_URL: `${front}/jwks` });
    const token = await issuer.token();
    const { status, text } = await ask(app, token);
    const log = await logOf(app);

    expect(status).toBe(503);
    expect(text).toContain(
      "Tokens cannot be checked: the keys that tokens are checked with cannot be fetched at the moment; try again later",
    );
    expect(log).toContain("unable to verify the first certificate");
    expect(log).not.toContain(token);
  });
});

describe("a weather API whose certificate", () => {
  it.each([
    ["is trusted answers", trusted, "live"],
    ["is not trusted is stood in for", unknown, "static"],
  ])("%s", async (_, authority, source) => {
    const plain = new URL(weather.environment.WEATHER_FORECAST_URL).origin;
    const front = await inFrontOf(plain, authority.issue({ names }));
    const { WEATHER_GEOCODING_URL: geocoding, WEATHER_FORECAST_URL: forecast } = weather.environment;
    const app = await startProcess({
      ...environment,
      WEATHER_GEOCODING_URL: geocoding.replace(plain, front),
      WEATHER_FORECAST_URL: forecast.replace(plain, front),
    });
    const client = await connect(endpointOf(app), "2026");
    const { structuredContent } = await client.callTool({
      name: "get_weather_with_fallback",
      arguments: { city: "Berlin" },
    });
    await client.close();

    expect(structuredContent).toMatchObject({ source });
  });
});
