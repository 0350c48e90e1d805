import { APP, namesOf, type Names } from "../../environment/names.ts";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { ApiError } from "../../release/targets/kubernetes/api/api-error.ts";
import type {
  Kind,
  KubeObject,
  ListOptions,
  LogOptions,
  ObjectRef,
  Operation,
} from "../../release/targets/kubernetes/api/kube-api.ts";
import type { Client } from "./client.ts";
import { asApiError, notFound, type Subject } from "./failures.ts";
import { Faults } from "./faults.ts";
import { Refused, type KubeStore } from "./store.ts";

/** What a client asks of a store. */
export type Server = Pick<KubeStore, "namespace" | "get" | "list" | "create" | "patch"> &
  Partial<Pick<KubeStore, "logs">>;

export interface StoreApiOptions {
  /** @default - those of the default app */
  readonly names?: Names;
  /** Local ports that answer for `<pod>:<port>`. */
  readonly ports?: ReadonlyMap<string, number>;
  /** Runs before each request arrives, in which others may act. */
  readonly before?: (subject: Subject) => Promise<void> | void;
}

/** One client of a store, without HTTP: its requests, and the faults of its own network. */
export class StoreApi implements Client {
  readonly namespace: string;
  readonly names: Names;
  readonly faults = new Faults();
  readonly requests: Subject[] = [];
  before: (subject: Subject) => Promise<void> | void;
  readonly #store: Server;
  readonly #ports: ReadonlyMap<string, number>;

  constructor(store: Server, options: StoreApiOptions = {}) {
    const { ports = new Map(), before = () => undefined, names = namesOf(APP) } = options;
    this.namespace = store.namespace;
    this.names = names;
    this.#store = store;
    this.#ports = ports;
    this.before = before;
  }

  async settled(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async get<T extends KubeObject>(object: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    return await this.#request("get", object, signal, () => this.#store.get(object) as T | undefined);
  }

  async metadata(object: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const found = await this.get(object, signal);
    return found && { metadata: found.metadata };
  }

  async list<T extends KubeObject>(kind: Kind, options: ListOptions, signal?: AbortSignal): Promise<readonly T[]> {
    const list = () => this.#store.list(kind, options) as unknown as readonly T[];
    return await this.#request("list", { kind, name: "" }, signal, list);
  }

  async create<T extends KubeObject>(kind: Kind, object: object, signal?: AbortSignal): Promise<T> {
    const { name = "" } = (object as Partial<KubeObject>).metadata ?? {};
    return await this.#request(
      "create",
      { kind, name },
      signal,
      () => this.#store.create(kind, object) as unknown as T,
    );
  }

  async patch<T extends KubeObject>(
    object: ObjectRef,
    operations: readonly Operation[],
    signal?: AbortSignal,
  ): Promise<T> {
    return await this.#request("patch", object, signal, () => this.#store.patch(object, operations) as unknown as T);
  }

  async log(pod: string, { lines }: LogOptions, signal?: AbortSignal): Promise<string> {
    const object = { kind: "Pod", name: pod } as const;
    return await this.#request("get", object, signal, () => {
      if (this.#store.get(object) === undefined) throw new Refused(notFound(this.#about("get", object)));
      return (this.#store.logs?.get(pod) ?? "").split("\n").slice(-lines).join("\n");
    });
  }

  async forward(pod: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const object = { kind: "Pod", name: pod } as const;
    const found = await this.#request("forward", object, signal, () => this.#store.get(object));
    if (found === undefined) throw asApiError(notFound(this.#about("forward", object)));
    const socket = connect(this.#ports.get(`${pod}:${port}`) ?? 1, "127.0.0.1");
    try {
      await once(socket, "connect", { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw new ApiError("unreachable", error instanceof Error ? error.message : String(error));
    }
    return socket;
  }

  async #request<T>(
    verb: Subject["verb"],
    object: ObjectRef,
    signal: AbortSignal | undefined,
    effect: () => T,
  ): Promise<T> {
    signal?.throwIfAborted();
    const subject = this.#about(verb, object);
    this.requests.push(subject);
    await this.before(subject);
    signal?.throwIfAborted();
    const fault = this.faults.take(subject);
    if (fault === "hang") await aborted(signal);
    if (fault === "unreachable") throw new ApiError("unreachable", "connection refused");
    if (typeof fault === "function") throw asApiError(fault(subject));
    const result = this.#answered(effect);
    if (fault === "unanswered") throw new ApiError("unreachable", "connection reset");
    return result;
  }

  #answered<T>(effect: () => T): T {
    try {
      return effect();
    } catch (error) {
      if (error instanceof Refused) throw asApiError(error.failure);
      throw error;
    }
  }

  #about(verb: Subject["verb"], { kind, name }: ObjectRef): Subject {
    return { verb, kind, name, namespace: this.namespace };
  }
}

async function aborted(signal: AbortSignal | undefined): Promise<never> {
  await new Promise<void>((resolve) =>
    signal?.addEventListener("abort", () => {
      resolve();
    }),
  );
  throw signal?.reason;
}
