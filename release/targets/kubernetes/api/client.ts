import { Agent, request, type ClientRequestArgs, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { InvalidKubeconfig } from "../../../../kubeconfig/invalid-kubeconfig.ts";
import { APP, namesOf, type Names } from "../../../../environment/names.ts";
import { errorOf, isMissing, line, type Answer } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import type { Connection, Connections } from "./connection.ts";
import { dial } from "./dial.ts";
import {
  KINDS,
  type KubeApi,
  type Kind,
  type KubeObject,
  type ListOptions,
  type LogOptions,
  type ObjectRef,
  type Operation,
} from "./kube-api.ts";
import { openForward } from "./port-forward.ts";

const DEADLINE_MS = 10_000;
/** A list of 1,000 large pods. */
const MAX_BODY = 32 << 20;
/** Bytes of a log. */
const MAX_LOG = 64 << 10;
const IDLE_MS = 30_000;
/** A request without an answer for so long makes the idle sockets suspect. */
const SILENT_MS = 3000;
const ATTEMPTS = 4;
const FIRST_BACKOFF_MS = 200;

export interface ClientOptions {
  /** The time that a request may take, with its repetitions. @default 10,000 ms */
  readonly deadlineMs?: number;

  /** The names of the app's objects. @default - those of the default app */
  readonly names?: Names;
}

interface Sent {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
  /** @default "application/json" */
  readonly accept?: string;
}

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/** Requests to an API server with the identity of the moment. Reads are repeated for a while, writes never. */
export class Client implements KubeApi {
  readonly namespace: string;
  readonly names: Names;
  readonly #connections: Connections;
  readonly #deadlineMs: number;
  readonly #agent = new DialingAgent({ keepAlive: true, timeout: IDLE_MS, maxSockets: 16 });

  constructor(connections: Connections, namespace: string, options: ClientOptions = {}) {
    const { deadlineMs = DEADLINE_MS, names = namesOf(APP) } = options;
    this.names = names;
    this.#connections = connections;
    this.namespace = namespace;
    this.#deadlineMs = deadlineMs;
  }

  async get<T extends KubeObject>(object: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    const what = `read ${this.#nameOf(object)}`;
    const answer = await this.#read(what, this.#path(object.kind, object.name), signal);
    return isMissing(object.name, answer) ? undefined : (parsed(what, answer, "metadata") as T);
  }

  async metadata(object: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const what = `read the metadata of ${this.#nameOf(object)}`;
    const answer = await this.#read(what, this.#path(object.kind, object.name), signal, METADATA_ONLY);
    return isMissing(object.name, answer) ? undefined : (parsed(what, answer, "metadata") as KubeObject);
  }

  async list<T extends KubeObject>(kind: Kind, options: ListOptions, signal?: AbortSignal): Promise<readonly T[]> {
    const what = `list objects of kind ${kind} in namespace '${this.namespace}'`;
    const query = new URLSearchParams({ ...options }).toString();
    const answer = await this.#read(what, `${this.#path(kind)}${query === "" ? "" : `?${query}`}`, signal);
    return (parsed(what, answer, "items") as { readonly items: readonly T[] | null }).items ?? [];
  }

  async create<T extends KubeObject>(kind: Kind, object: object, signal?: AbortSignal): Promise<T> {
    const what = `create an object of kind ${kind} in namespace '${this.namespace}'`;
    const body = { type: "application/json", text: JSON.stringify(object) };
    return await this.#write<T>(what, { method: "POST", path: this.#path(kind), body }, signal);
  }

  async patch<T extends KubeObject>(
    object: ObjectRef,
    operations: readonly Operation[],
    signal?: AbortSignal,
  ): Promise<T> {
    const body = { type: "application/json-patch+json", text: JSON.stringify(operations) };
    const path = this.#path(object.kind, object.name);
    return await this.#write<T>(`change ${this.#nameOf(object)}`, { method: "PATCH", path, body }, signal);
  }

  async log(pod: string, { container, lines }: LogOptions, signal?: AbortSignal): Promise<string> {
    const query = new URLSearchParams({ container, tailLines: String(lines), limitBytes: String(MAX_LOG) });
    const path = `${this.#path("Pod", pod)}/log?${query.toString()}`;
    return (await this.#read(`read the log of ${this.#nameOf({ kind: "Pod", name: pod })}`, path, signal)).text;
  }

  async forward(pod: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const what = `forward to port ${port} of pod '${pod}' in namespace '${this.namespace}'`;
    return await this.#within(what, signal, async (deadline) => {
      const open = async () => {
        const path = `${this.#path("Pod", pod)}/portforward?ports=${port}`;
        return await openForward(what, await this.#connection(deadline), path, deadline);
      };
      return await this.#withFreshCredentials(open);
    });
  }

  /** Ends every socket, and an exec plugin that runs. */
  close(): void {
    this.#connections.close();
    this.#agent.destroy();
  }

  async #read(what: string, path: string, signal: AbortSignal | undefined, accept?: string): Promise<Answer> {
    return await this.#within(what, signal, async (deadline) => {
      const end = Date.now() + this.#deadlineMs;
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#withFreshCredentials(() =>
            this.#send(what, { method: "GET", path, ...(accept && { accept }) }, deadline),
          );
        } catch (error) {
          const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
          const wait = asked ?? FIRST_BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
          if (!mayPass(error) || attempt === ATTEMPTS || Date.now() + wait > end) throw error;
          await sleep(wait, undefined, { signal: deadline });
        }
      }
    });
  }

  async #write<T>(what: string, sent: Sent, signal: AbortSignal | undefined): Promise<T> {
    return await this.#within(what, signal, async (deadline) => {
      const answer = await this.#withFreshCredentials(() => this.#send(what, sent, deadline));
      return parsed(what, answer, "metadata") as T;
    });
  }

  /**
   * Gives an attempt its deadline, and turns whatever ends it into an ApiError or the reason of the signal.
   *
   * The answer does not wait for the attempt to notice: a plugin or a socket may take its time.
   */
  async #within<T>(
    what: string,
    signal: AbortSignal | undefined,
    attempt: (deadline: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const started = performance.now();
    const ended = new AbortController();
    const timer = setTimeout(() => {
      ended.abort(new ApiError("unreachable", `could not ${what}: no answer within ${this.#deadlineMs / 1000} s`));
    }, this.#deadlineMs);
    const abort = () => {
      ended.abort(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const aborted = new Promise<never>((_, reject) => {
      ended.signal.addEventListener(
        "abort",
        () => {
          reject(ended.signal.reason as Error);
        },
        { once: true },
      );
    });
    try {
      return await Promise.race([attempt(ended.signal), aborted]);
    } catch (error) {
      const late = signal?.aborted !== true || performance.now() - started >= SILENT_MS;
      if (ended.signal.aborted && late) this.#agent.dropIdle();
      ended.signal.throwIfAborted();
      if (error instanceof ApiError) throw error;
      throw new ApiError("unreachable", line(`could not ${what}: ${messageOf(error)}`));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** A request that the server did not accept as anybody's had no effect, so it may be sent again. */
  async #withFreshCredentials<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind !== "unauthorized" || !this.#connections.refused()) throw error;
      return await send();
    }
  }

  async #send(
    what: string,
    { method, path, body, accept = "application/json" }: Sent,
    signal: AbortSignal,
  ): Promise<Answer> {
    const connection = await this.#connection(signal);
    const { server, headers } = connection;
    const options = {
      method,
      path: `${server.pathname.replace(/\/$/, "")}${path}`,
      host: server.host,
      setDefaultHeaders: true,
      agent: this.#agent,
      signal,
      headers: {
        ...headers,
        Host: server.host,
        Accept: accept,
        "User-Agent": "mcp-bluegreen",
        ...(body === undefined ? {} : { "Content-Type": body.type, "Content-Length": Buffer.byteLength(body.text) }),
      },
      connection,
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(options, resolve).on("error", reject).end(body?.text);
    });
    const answer = {
      code: response.statusCode ?? 0,
      retryAfter: response.headers["retry-after"],
      text: await textOf(response),
    };
    const name = decodeURIComponent(/\/([^/?]+)(\?.*)?$/.exec(path)?.[1] ?? "");
    if ((answer.code >= 200 && answer.code < 300) || (method === "GET" && isMissing(name, answer))) return answer;
    throw errorOf(what, answer);
  }

  /** The signal ends the wait, not a plugin that others wait for. */
  async #connection(signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    return await this.#connections.current();
  }

  #path(kind: Kind, name?: string): string {
    const { prefix, plural } = KINDS[kind];
    const parts = [prefix, "namespaces", encodeURIComponent(this.namespace), plural];
    return `/${[...parts, ...(name === undefined ? [] : [encodeURIComponent(name)])].join("/")}`;
  }

  #nameOf({ kind, name }: ObjectRef): string {
    return `${kind} '${name}' in namespace '${this.namespace}'`;
  }
}

/** Shares sockets between requests of the same server, proxy and certificate, and dials for the others. */
class DialingAgent extends Agent {
  override getName(options?: Dialed): string {
    return options?.connection?.key ?? "";
  }

  /** A load balancer that has lost one connection without a word has often lost the others, too. */
  dropIdle(): void {
    for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy();
  }

  override createConnection(options: Dialed, done: (error: Error | null, socket?: Duplex) => void): undefined {
    if (options.connection === undefined) throw new Error("a request through this agent needs a connection");
    dial(options.connection, options.signal ?? new AbortController().signal).then(
      (socket) => {
        done(null, socket);
      },
      (error: unknown) => {
        done(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}

interface Dialed extends ClientRequestArgs {
  readonly connection?: Connection;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error(`the answer is larger than ${MAX_BODY >> 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(what: string, answer: Answer, field: "metadata" | "items"): unknown {
  try {
    const value: unknown = JSON.parse(answer.text);
    if (typeof value === "object" && value !== null && field in value) return value;
  } catch {
    // Reported below.
  }
  throw new ApiError(
    "unreachable",
    line(
      `could not ${what}: the server answered ${answer.code} with something else than an object: ${answer.text.slice(0, 120)}`,
    ),
  );
}

/** Whether the same request may have an answer a moment later. */
const mayPass = (error: unknown) =>
  error instanceof ApiError ? error.kind === "unreachable" : !(error instanceof InvalidKubeconfig);

function messageOf(error: unknown): string {
  if (error instanceof InvalidKubeconfig) return error.message;
  // An attempt at several addresses has one error for each.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message || error.name : String(error);
}
