import type { Duplex } from "node:stream";
import type {
  Kind,
  KubeApi,
  KubeObject,
  ListOptions,
  ObjectRef,
  Operation,
} from "../../release/targets/kubernetes/api/kube-api.ts";
import type { Client } from "./client.ts";
import type { Subject } from "./failures.ts";
import type { Faults } from "./faults.ts";
import type { KubeServer } from "./server.ts";

/** Opens the client under test on a server. */
export type OpenApi = (url: URL, namespace: string) => KubeApi & { close?(): Promise<void> | void };

/** The client under test, on an API server over HTTP. */
export class HttpClient implements Client {
  readonly namespace: string;
  before: (subject: Subject) => Promise<void> | void = () => undefined;
  readonly #api: ReturnType<OpenApi>;
  readonly #server: KubeServer;
  #inFlight = 0;
  #idle: () => void = () => undefined;

  constructor(server: KubeServer, namespace: string, openApi: OpenApi) {
    this.#server = server;
    this.#api = openApi(server.url, namespace);
    this.namespace = namespace;
  }

  get faults(): Faults {
    return this.#server.faults;
  }

  get requests(): readonly Subject[] {
    return this.#server.requests;
  }

  async settled(): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#inFlight === 0) return;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await this.#api.close?.();
  }

  async get<T extends KubeObject>(object: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    return await this.#request("get", object, signal, () => this.#api.get<T>(object, signal));
  }

  async list<T extends KubeObject>(kind: Kind, options: ListOptions, signal?: AbortSignal): Promise<readonly T[]> {
    return await this.#request("list", { kind, name: "" }, signal, () => this.#api.list<T>(kind, options, signal));
  }

  async create<T extends KubeObject>(kind: Kind, object: object, signal?: AbortSignal): Promise<T> {
    const { name = "" } = (object as Partial<KubeObject>).metadata ?? {};
    return await this.#request("create", { kind, name }, signal, () => this.#api.create<T>(kind, object, signal));
  }

  async patch<T extends KubeObject>(
    object: ObjectRef,
    operations: readonly Operation[],
    signal?: AbortSignal,
  ): Promise<T> {
    return await this.#request("patch", object, signal, () => this.#api.patch<T>(object, operations, signal));
  }

  async forward(pod: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const forward = () => this.#api.forward(pod, port, signal);
    return await this.#request("forward", { kind: "Pod", name: pod }, signal, forward);
  }

  async #request<T>(
    verb: Subject["verb"],
    { kind, name }: ObjectRef,
    signal: AbortSignal | undefined,
    request: () => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    await this.before({ verb, kind, name, namespace: this.namespace });
    this.#inFlight += 1;
    try {
      return await request();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle();
    }
  }
}
