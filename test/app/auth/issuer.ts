import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from "jose";
import { json } from "../weather-api.ts";

export const AUDIENCE = "https://mcp.example.com/mcp";

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function newKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** An authorization server on 127.0.0.1, as far as a resource server sees one: it publishes keys and signs tokens. */
export interface Issuer {
  readonly url: string;
  /** What an app needs to trust it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Requests for its keys so far. */
  readonly requests: number;
  /** The scopes of each token that clients have asked it for. */
  readonly asked: readonly string[];
  /** A token that is right in all its parts; `undefined` takes a claim away. */
  token(
    claims?: JWTPayload,
    header?: { readonly key?: SigningKey; readonly typ?: string | undefined },
  ): Promise<string>;
  /** Publishes these keys from now on, and signs with the last of them. */
  rotate(...keys: readonly SigningKey[]): void;
  /** Answers requests for its keys like this from now on; without an argument, with its keys again. */
  answerWith(answer?: RequestListener): void;
  close(): Promise<void>;
}

export async function startIssuer(...first: readonly SigningKey[]): Promise<Issuer> {
  let keys = first.length > 0 ? first : [await newKey("first")];
  let requests = 0;
  const asked: string[] = [];
  const rightly: RequestListener = (_request, response) => {
    json(response, 200, { keys: keys.map(({ publicJwk }) => publicJwk) });
  };
  let answer = rightly;
  const server = createServer((request, response) => {
    if (request.url === "/jwks") {
      requests += 1;
      answer(request, response);
    } else if (request.url === "/.well-known/oauth-authorization-server") json(response, 200, metadata(url));
    else if (request.url === "/token") void grant(request, response);
    else json(response, 404, {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** The client credentials grant, for whoever asks. */
  async function grant(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const scope = form.get("scope") ?? "";
    asked.push(scope);
    const token = await issuer.token({ aud: form.get("resource") ?? "", sub: "a-machine", scope });
    json(response, 200, { access_token: token, token_type: "Bearer", expires_in: 300, scope });
  }

  const issuer: Issuer = {
    url,
    asked,
    environment: { AUTH_MODE: "jwt", AUTH_ISSUER: url, AUTH_AUDIENCE: AUDIENCE, AUTH_JWKS_URL: `${url}/jwks` },
    get requests() {
      return requests;
    },
    async token(claims = {}, { key = keys.at(-1), typ = "at+jwt" } = {}) {
      if (key === undefined) throw new Error("there is no key to sign with");
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: url, aud: AUDIENCE, sub: "alice", client_id: "tests", iat: now, exp: now + 300, ...claims };
      // What is undefined does not get into JSON.
      const { kid, alg, privateKey } = key;
      return new SignJWT(JSON.parse(JSON.stringify(all)) as JWTPayload)
        .setProtectedHeader({ alg, kid, ...(typ === "" ? {} : { typ }) })
        .sign(privateKey);
    },
    rotate(...published) {
      keys = published;
    },
    answerWith(other = rightly) {
      answer = other;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return issuer;
}

/** What a client has to know of it (RFC 8414). */
const metadata = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/jwks`,
  response_types_supported: ["code"],
  grant_types_supported: ["client_credentials"],
  token_endpoint_auth_methods_supported: ["client_secret_basic"],
  code_challenge_methods_supported: ["S256"],
});
