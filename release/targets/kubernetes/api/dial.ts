import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import { SocksClient } from "socks";
import type { Connection, Tls } from "./connection.ts";
import { bare } from "./proxy.ts";

/**
 * Opens a socket to an API server, through its proxy if it has one, as far as the end of the TLS handshake.
 *
 * Requests and port forwards share this, so that both reach the same server as the same identity.
 */
export async function dial({ server, tls, proxy }: Connection, signal: AbortSignal): Promise<Socket> {
  const port = portOf(server);
  const socket =
    proxy === undefined
      ? await tcp(bare(server.hostname), port, signal)
      : await throughProxy(proxy, server, port, tls, signal);
  return tls === undefined ? socket : await secure(socket, server, tls, signal);
}

async function tcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 });
  await connected(socket, "connect", signal);
  return socket;
}

async function throughProxy(proxy: URL, server: URL, port: number, tls: Tls | undefined, signal: AbortSignal) {
  const socket = await tcp(bare(proxy.hostname), portOf(proxy), signal);
  if (proxy.protocol.startsWith("socks5"))
    return await throughSocks(socket, proxy, bare(server.hostname), port, signal);
  // As Go: the authorities of the cluster also decide about a proxy with TLS.
  const toProxy = proxy.protocol === "https:" && tls !== undefined ? await secure(socket, proxy, tls, signal) : socket;
  return await throughConnect(toProxy, proxy, `${server.hostname}:${port}`, signal);
}

async function throughConnect(socket: Socket, proxy: URL, target: string, signal: AbortSignal): Promise<Socket> {
  const credentials = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const request = httpRequest({
    method: "CONNECT",
    path: target,
    createConnection: () => socket,
    signal,
    headers: {
      Host: target,
      ...(credentials === ":" ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
    },
  });
  request.end();
  try {
    const [answer] = (await once(request, "connect")) as [IncomingMessage];
    if (answer.statusCode === 200) return socket;
    throw new Error(`it answered ${answer.statusCode ?? 0}`);
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw refusedBy(proxy, target, error);
  }
}

async function throughSocks(socket: Socket, proxy: URL, host: string, port: number, signal: AbortSignal) {
  const end = () => socket.destroy(asError(signal.reason));
  signal.addEventListener("abort", end, { once: true });
  try {
    const { socket: connection } = await SocksClient.createConnection({
      command: "connect",
      existing_socket: socket,
      destination: { host, port },
      proxy: {
        host: bare(proxy.hostname),
        port: portOf(proxy),
        type: 5,
        ...(proxy.username === ""
          ? {}
          : { userId: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }),
      },
    });
    return connection;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw refusedBy(proxy, `${host}:${port}`, error);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

const refusedBy = (proxy: URL, target: string, error: unknown) =>
  new Error(`the proxy ${proxy.host} did not connect to ${target}: ${(error as Error).message}`, { cause: error });

async function secure(socket: Socket, { hostname }: URL, { context, serverName, verify }: Tls, signal: AbortSignal) {
  const name = serverName ?? bare(hostname);
  const secured = connectTls({
    socket,
    secureContext: context,
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: verify,
    // An address is not sent, but it is verified.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) => identityProblem(name, certificate),
  });
  await connected(secured, "secureConnect", signal);
  return secured;
}

/** Go, and so kubectl, no longer accepts a certificate that names its server as the common name alone. */
function identityProblem(name: string, certificate: PeerCertificate): Error | undefined {
  return certificate.subjectaltname === undefined
    ? new Error(`the certificate of the server has no subject alternative name, such as '${name}'`)
    : checkServerIdentity(name, certificate);
}

async function connected(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    // Nobody waits for the end of an attempt that has been given up.
    socket.on("error", () => undefined);
    socket.destroy();
    throw error;
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "https:": 443,
  "http:": 80,
  "socks5:": 1080,
  "socks5h:": 1080,
};

const portOf = ({ port, protocol }: URL): number => (port === "" ? (DEFAULT_PORTS[protocol] ?? 443) : Number(port));

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error(String(reason)));
