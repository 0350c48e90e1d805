import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { KINDS, type Kind, type Operation } from "../../release/targets/kubernetes/api/kube-api.ts";
import { failure, notFound, tooLarge, unauthorized, type Failure, type Subject } from "./failures.ts";
import { Faults } from "./faults.ts";
import { PortForwards } from "./port-forwards.ts";
import { Refused, type Change, type KubeStore } from "./store.ts";
import type { Server } from "./store-api.ts";

export interface KubeServerOptions {
  /** Serves HTTPS with this certificate. @default - HTTP */
  readonly tls?: ServerOptions;

  /** Local ports that answer for `<pod>:<port>`. */
  readonly ports?: ReadonlyMap<string, number>;

  /** Who makes a request; undefined refuses it with 401. @default - everybody is `admin` */
  readonly identify?: (request: IncomingMessage) => string | undefined;

  /** Where writes arrive, if not at the store itself. */
  readonly arrive?: Server;
}

interface Target {
  readonly subject: Subject;
  readonly query: URLSearchParams;
  /** Whether it asks for the log of a pod. */
  readonly log: boolean;
}

const MAX_BODY = 3 * 1024 * 1024;

/**
 * A Kubernetes API server over HTTP, as far as a release uses one: get, list, watch, create, JSON patch, delete and port
 * forwards over WebSockets. Its answers are those that were recorded from Kubernetes 1.34.
 */
export class KubeServer {
  readonly faults = new Faults();
  /** Every request that arrived, with who made it. */
  readonly requests: (Subject & { readonly user: string })[] = [];
  readonly #store: KubeStore;
  readonly #server: Server;
  readonly #http: ReturnType<typeof createHttpServer> | ReturnType<typeof createHttpsServer>;
  readonly #sockets = new Set<Socket>();
  readonly #forwards: PortForwards;
  readonly #identify: (request: IncomingMessage) => string | undefined;

  private constructor(store: KubeStore, options: KubeServerOptions) {
    const { tls, ports = new Map<string, number>(), identify = () => "admin", arrive = store } = options;
    this.#store = store;
    this.#server = arrive;
    this.#identify = identify;
    this.#forwards = new PortForwards(ports);
    const answer: RequestListener = (request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    this.#http = tls === undefined ? createHttpServer(answer) : createHttpsServer(tls, answer);
    this.#http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
    this.#http.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(store: KubeStore, options: KubeServerOptions = {}): Promise<KubeServer> {
    const server = new KubeServer(store, options);
    server.#http.listen(0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get url(): URL {
    const protocol = "setSecureContext" in this.#http ? "https" : "http";
    return new URL(`${protocol}://127.0.0.1:${(this.#http.address() as AddressInfo).port}`);
  }

  /** Cuts every connection and accepts no more. */
  async close(): Promise<void> {
    this.#forwards.close();
    this.#http.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#http.listening) await once(this.#http, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const target = this.#target(request);
    if (target === undefined) {
      send(response, 404, "404 page not found\n", "text/plain");
      return;
    }
    const { subject, query, log } = target;
    const fault = this.#arrived(request, subject);
    if (fault === "hang") return;
    if (fault === "unreachable") {
      response.destroy();
      return;
    }
    if (typeof fault === "object") {
      sendFailure(response, fault);
      return;
    }
    try {
      if (body === undefined) throw new Refused(tooLarge());
      if (subject.verb === "list" && query.get("watch") === "true") {
        this.#watch(subject.kind, query, response);
        return;
      }
      if (log) {
        this.#existing(subject);
        const lines = (this.#store.logs.get(subject.name) ?? "").split("\n");
        send(response, 200, lines.slice(-Number(query.get("tailLines"))).join("\n"), "text/plain");
        return;
      }
      const result = this.#perform(request, subject, query, body);
      if (fault === "unanswered") response.destroy();
      else send(response, request.method === "POST" ? 201 : 200, result);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      sendFailure(response, error.failure);
    }
  }

  /** Authentication, and the script. Both come before anything has an effect. */
  #arrived(request: IncomingMessage, subject: Subject): Failure | "hang" | "unreachable" | "unanswered" | undefined {
    const user = this.#identify(request);
    if (user === undefined) return unauthorized();
    this.requests.push({ ...subject, user });
    const fault = this.faults.take(subject);
    return typeof fault === "function" ? fault(subject) : fault;
  }

  #perform({ method, headers }: IncomingMessage, subject: Subject, query: URLSearchParams, body: string): object {
    const { kind, name } = subject;
    switch (method) {
      case "POST":
        return typed(kind, this.#server.create(kind, parse(body)));
      case "PATCH": {
        const type = headers["content-type"] ?? "";
        if (!type.startsWith("application/json-patch+json")) throw new Refused(unsupported(type));
        return typed(kind, this.#server.patch({ kind, name }, parse(body) as Operation[]));
      }
      case "DELETE":
        this.#existing(subject);
        this.#store.remove({ kind, name });
        return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
      case undefined:
      default:
        if (subject.verb === "get") {
          const found = this.#existing(subject);
          return headers.accept?.includes("as=PartialObjectMetadata") ? metadataOf(found) : found;
        }
        return {
          kind: `${kind}List`,
          apiVersion: versionOf(kind),
          metadata: { resourceVersion: this.#store.version },
          items: this.#server.list(kind, selectors(query)),
        };
    }
  }

  #existing(subject: Subject): object {
    const found = this.#server.get(subject);
    if (found === undefined) throw new Refused(notFound(subject));
    return typed(subject.kind, found);
  }

  /** Sends every change from now on, one JSON object a line, until the client or the server hangs up. */
  #watch(kind: Kind, query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    const fits = (object: Change["after"]) =>
      object !== undefined && this.#store.list(kind, selectors(query), [object]).length > 0;
    const stop = this.#store.onChange((change) => {
      if (change.kind !== kind) return;
      const [was, is] = [fits(change.before), fits(change.after)];
      if (!was && !is) return;
      const type = !was ? "ADDED" : is ? "MODIFIED" : "DELETED";
      response.write(`${JSON.stringify({ type, object: typed(kind, (is ? change.after : change.before) ?? {}) })}\n`);
    });
    response.once("close", stop);
    response.flushHeaders();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.#target(request);
    const subject = target?.subject.verb === "forward" ? target.subject : undefined;
    const fault = subject === undefined ? undefined : this.#arrived(request, subject);
    if (fault === "hang") return;
    if (fault === "unreachable") {
      socket.destroy();
      return;
    }
    const missing = subject && this.#server.get(subject) === undefined ? notFound(subject) : undefined;
    const refusal = typeof fault === "object" ? fault : missing;
    if (subject === undefined || refusal !== undefined) refuseUpgrade(socket, refusal);
    else this.#forwards.open(subject.name, request, socket, head);
  }

  #target(request: IncomingMessage): Target | undefined {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
    for (const [kind, { prefix, plural }] of Object.entries(KINDS) as [Kind, (typeof KINDS)[Kind]][]) {
      const base = `/${prefix}/namespaces/${this.#store.namespace}/${plural}`;
      if (pathname !== base && !pathname.startsWith(`${base}/`)) continue;
      const [name = "", subresource] = pathname.slice(base.length + 1).split("/");
      const verb = verbOf(request.method, name, subresource);
      const log = subresource === "log";
      return { query: searchParams, log, subject: { verb, kind, name, namespace: this.#store.namespace } };
    }
    return undefined;
  }
}

function verbOf(method: string | undefined, name: string, subresource: string | undefined): Subject["verb"] {
  if (subresource === "portforward") return "forward";
  if (method === "POST") return "create";
  if (method === "PATCH") return "patch";
  if (method === "DELETE") return "delete";
  return name === "" ? "list" : "get";
}

const versionOf = (kind: Kind) => KINDS[kind].prefix.replace(/^apis?\//, "");

const typed = (kind: Kind, object: object) => ({ apiVersion: versionOf(kind), kind, ...object });

const metadataOf = (object: object) => ({
  apiVersion: "meta.k8s.io/v1",
  kind: "PartialObjectMetadata",
  metadata: "metadata" in object ? object.metadata : {},
});

const selectors = (query: URLSearchParams) => ({
  labelSelector: query.get("labelSelector") ?? "",
  fieldSelector: query.get("fieldSelector") ?? "",
});

/** @returns undefined for a body that is too large */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  return length > MAX_BODY ? undefined : Buffer.concat(chunks).toString();
}

function parse(body: string): object {
  try {
    return JSON.parse(body) as object;
  } catch (error) {
    throw new Refused(
      failure("invalid", 400, { message: `error decoding patch: ${String(error)}`, reason: "BadRequest" }),
    );
  }
}

const unsupported = (type: string) =>
  failure("invalid", 415, {
    message: `the body of the request was in an unknown format - accepted media types include: application/json-patch+json; got '${type}'`,
    reason: "UnsupportedMediaType",
  });

function sendFailure(response: ServerResponse, { code, body, retryAfterSeconds }: Failure): void {
  if (retryAfterSeconds !== undefined) response.setHeader("retry-after", String(retryAfterSeconds));
  send(response, code, body);
}

function send(response: ServerResponse, code: number, body: object | string, type = "application/json"): void {
  response.writeHead(code, { "content-type": type });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function refuseUpgrade(socket: Duplex, refusal: Failure | undefined): void {
  const body = JSON.stringify(refusal?.body ?? { message: "not a port forward" });
  const code = refusal?.code ?? 400;
  socket.end(
    `HTTP/1.1 ${code} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
