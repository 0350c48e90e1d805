import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import {
  chooseCluster,
  type ChosenCluster,
  type ContextCluster,
  type OwnCluster,
} from "../../../../kubeconfig/cluster.ts";
import { InvalidKubeconfig } from "../../../../kubeconfig/invalid-kubeconfig.ts";
import type { Surroundings } from "../../../../kubeconfig/load.ts";
import { authorityOf, certificateOf } from "./certificates.ts";
import { ExecPlugin, type ExecCredentials } from "./exec-plugin.ts";
import { parseProxy, proxyFromVariables } from "./proxy.ts";

export type Headers = Readonly<Record<string, string | string[]>>;

/** All that a connection to an API server is made of, at one moment. */
export interface Connection {
  /** With the path before that of the API, if the server is behind one. */
  readonly server: URL;
  /** The identity, as far as headers carry it. */
  readonly headers: Headers;
  /** Undefined for a server without TLS. */
  readonly tls: Tls | undefined;
  readonly proxy: URL | undefined;
  /** The same for connections that may share a socket. */
  readonly key: string;
}

export interface Tls {
  readonly context: SecureContext;
  /** The name that the certificate must bear. @default - the host of the URL */
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

interface Identity {
  readonly headers: Headers;
  readonly certificate: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
}

const ANONYMOUS: Identity = { headers: {}, certificate: undefined };

/**
 * The connection to one cluster, resolved again each time: tokens and certificates are those of the moment.
 *
 * The context and the server are those of the beginning. A context that somebody chooses during a release does not move the
 * release to another cluster.
 */
export class Connections {
  /** As it was chosen at the beginning. */
  readonly cluster: ChosenCluster;
  readonly #surroundings: Surroundings;
  readonly #plugin: ExecPlugin;
  #context: { readonly key: string; readonly context: SecureContext } | undefined;

  /**
   * Resolves all of the connection except for an exec plugin, so that a mistake in the kubeconfig is one from the beginning.
   * Later the same is an outage: somebody may be replacing a file.
   *
   * @throws InvalidKubeconfig
   */
  constructor(surroundings: Surroundings, wantedContext?: string) {
    this.#surroundings = surroundings;
    this.#plugin = new ExecPlugin(surroundings.variables);
    this.cluster = chooseCluster(surroundings, wantedContext);
    if (this.cluster.kind === "own") return;
    const { server } = this.#route(this.cluster);
    if (server.protocol === "https:") this.#tls(rootsOf(this.cluster), ownCredentials(this.cluster)?.certificate);
  }

  /** @throws InvalidKubeconfig, or ApiError if an exec plugin fails */
  async current(): Promise<Connection> {
    const cluster = this.#chooseAgain();
    return cluster.kind === "own" ? this.#ownConnection(cluster) : await this.#contextConnection(cluster);
  }

  /**
   * The server does not accept the credentials: an exec plugin runs again for the next connection.
   *
   * @returns whether the next connection may have others
   */
  refused(): boolean {
    return this.#plugin.forget();
  }

  /** Ends an exec plugin that runs. */
  close(): void {
    this.#plugin.close();
  }

  #chooseAgain(): ChosenCluster {
    if (this.cluster.kind === "own") return this.cluster;
    const again = chooseCluster(this.#surroundings, this.cluster.context);
    if (again.kind === "own" || again.cluster.server !== this.cluster.cluster.server) {
      throw new InvalidKubeconfig(
        `context '${this.cluster.context}' of the kubeconfig named the server '${this.cluster.cluster.server}' when this command started, and names another one now`,
      );
    }
    return again;
  }

  #ownConnection({ server, tokenFile, caFile }: OwnCluster): Connection {
    const identity = { headers: bearer(readToken(tokenFile)), certificate: undefined };
    const url = new URL(server);
    const tls = this.#tls({ ca: readFileSync(caFile), serverName: "", verify: true }, undefined);
    return connection(url, identity, tls, proxyFromVariables(url, this.#surroundings.variables));
  }

  async #contextConnection(chosen: ContextCluster): Promise<Connection> {
    const { server, proxy } = this.#route(chosen);
    // As kubectl: no identity goes over a connection that others can read.
    if (server.protocol === "http:") return connection(server, ANONYMOUS, undefined, proxy);
    const identity = ownCredentials(chosen) ?? (await this.#pluginCredentials(chosen));
    const headers = { ...identity.headers, ...impersonation(chosen) };
    const { certificate } = identity;
    return connection(server, { headers, certificate }, this.#tls(rootsOf(chosen), certificate), proxy);
  }

  #route({ cluster, clusterName }: ContextCluster): { readonly server: URL; readonly proxy: URL | undefined } {
    const server = serverUrl(clusterName, cluster.server);
    const proxy =
      cluster["proxy-url"] === ""
        ? proxyFromVariables(server, this.#surroundings.variables)
        : parseProxy(cluster["proxy-url"], `the proxy-url of cluster '${clusterName}' in the kubeconfig`);
    return { server, proxy };
  }

  async #pluginCredentials(chosen: ContextCluster): Promise<Identity> {
    if (chosen.user.exec == null) return ANONYMOUS;
    const { token, certificate }: ExecCredentials = await this.#plugin.credentials(chosen, chosen.user.exec);
    return { headers: token === undefined ? {} : bearer(token), certificate };
  }

  #tls({ ca, serverName, verify }: Roots, certificate: Identity["certificate"]): Tls & { readonly key: string } {
    const parts = [ca, certificate?.cert, certificate?.key];
    const hash = createHash("sha256");
    for (const part of parts) hash.update(`${part?.length ?? "none"}\n`).update(part ?? "");
    const key = `${hash.digest("hex")} ${serverName} ${String(verify)}`;
    // Making one costs milliseconds.
    if (this.#context?.key !== key) this.#context = { key, context: secureContext(ca, certificate) };
    return { context: this.#context.context, serverName: serverName || undefined, verify, key };
  }
}

interface Roots {
  readonly ca: Buffer | undefined;
  readonly serverName: string;
  readonly verify: boolean;
}

const rootsOf = ({ cluster }: ContextCluster): Roots => ({
  ca: authorityOf(cluster),
  serverName: cluster["tls-server-name"],
  verify: !cluster["insecure-skip-tls-verify"],
});

/** The credentials that the kubeconfig itself has or names. As kubectl: they come before those of an exec plugin. */
function ownCredentials({ user }: ContextCluster): Identity | undefined {
  const certificate = certificateOf(user);
  const token = user.tokenFile === "" ? user.token : readToken(user.tokenFile, user.token);
  if (token !== "") return { headers: bearer(token), certificate };
  if (user.username + user.password !== "") {
    const basic = Buffer.from(`${user.username}:${user.password}`).toString("base64");
    return { headers: { Authorization: `Basic ${basic}` }, certificate };
  }
  return certificate === undefined ? undefined : { headers: {}, certificate };
}

function connection(
  server: URL,
  { headers }: Identity,
  tls: (Tls & { readonly key: string }) | undefined,
  proxy: URL | undefined,
): Connection {
  return { server, headers, tls, proxy, key: [server.host, proxy?.href ?? "", tls?.key ?? ""].join(" ") };
}

function secureContext(ca: Buffer | undefined, certificate: Identity["certificate"]): SecureContext {
  try {
    // kubectl trusts the authorities of the system, and so do these; Node's own are others.
    return createSecureContext({ ca: ca ?? systemAuthorities(), ...certificate });
  } catch (error) {
    throw new InvalidKubeconfig(
      `the certificates of the kubeconfig cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function systemAuthorities(): string[] | undefined {
  const system = getCACertificates("system");
  return system.length === 0 ? undefined : system;
}

/** A server without a scheme is one without TLS, as in client-go. */
function serverUrl(clusterName: string, server: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `http://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new InvalidKubeconfig(
    `the server '${server}' of cluster '${clusterName}' in the kubeconfig is not an https URL`,
  );
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The token file of the moment; as in client-go, the token beside it serves while the file cannot be read. */
function readToken(file: string, otherwise = ""): string {
  let token = "";
  let problem = "it is empty";
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    problem = (error as Error).message;
  }
  if (token !== "") return token;
  if (otherwise !== "") return otherwise;
  throw new InvalidKubeconfig(`the token file '${file}' cannot be used: ${problem}`);
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation({ user }: ContextCluster): Headers {
  if (user.as === "") return {};
  return {
    "Impersonate-User": user.as,
    ...(user["as-uid"] === "" ? {} : { "Impersonate-Uid": user["as-uid"] }),
    ...(user["as-groups"].length === 0 ? {} : { "Impersonate-Group": user["as-groups"] }),
    ...Object.fromEntries(
      Object.entries(user["as-user-extra"]).map(([key, values]) => [`Impersonate-Extra-${headerName(key)}`, values]),
    ),
  };
}

/** Escapes what a header's name may not have, and the escape itself. */
const headerName = (key: string) =>
  Array.from(Buffer.from(key), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9!#$&'*+.^_`|~-]/i.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
