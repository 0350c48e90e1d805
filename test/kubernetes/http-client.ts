import { APP, namesOf } from "../../environment/names.ts";
import type { Duplex } from "node:stream";
import type {
  Kind,
  KubeObject,
  ListOptions,
  LogOptions,
  ObjectRef,
  Operation,
} from "../../release/targets/kubernetes/api/kube-api.ts";
import type { OpenedApi } from "../../release/targets/kubernetes/api/open.ts";
import type { Client } from "./client.ts";
import type { Subject } from "./failures.ts";
import type { Faults } from "./faults.ts";
import { openClient } from "./open-client.ts";
import type { KubeServer } from "./server.ts";

/** The client under test, on an API server over HTTP. */
export class HttpClient implements Client {
  readonly namespace: string;
  readonly names = namesOf(APP);
  before: (subject: Subject) => Promise<void> | void = () => undefined;
  readonly #opened: OpenedApi;
  readonly #server: KubeServer;
  #inFlight = 0;
  #idle: () => void = () => undefined;

  constructor(server: KubeServer, namespace: string) {
    this.#server = server;
    this.#opened = openClient(server.url, namespace);
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

  close(): Promise<void> {
    this.#opened.close();
    return Promise.resolve();
  }

  async get<T extends KubeObject>(object: ObjectRef, signal?: AbortSignal): Promise<T | undefined> {
    return await this.#request("get", object, signal, () => this.#opened.api.get<T>(object, signal));
  }

  async metadata(object: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    return await this.#request("get", object, signal, () => this.#opened.api.metadata(object, signal));
  }

  async list<T extends KubeObject>(kind: Kind, options: ListOptions, signal?: AbortSignal): Promise<readonly T[]> {
    return await this.#request("list", { kind, name: "" }, signal, () =>
      this.#opened.api.list<T>(kind, options, signal),
    );
  }

  async create<T extends KubeObject>(kind: Kind, object: object, signal?: AbortSignal): Promise<T> {
    const { name = "" } = (object as Partial<KubeObject>).metadata ?? {};
    return await this.#request("create", { kind, name }, signal, () =>
      this.#opened.api.create<T>(kind, object, signal),
    );
  }

  async patch<T extends KubeObject>(
    object: ObjectRef,
    operations: readonly Operation[],
    signal?: AbortSignal,
  ): Promise<T> {
    return await this.#request("patch", object, signal, () => this.#opened.api.patch<T>(object, operations, signal));
  }

  async log(pod: string, options: LogOptions, signal?: AbortSignal): Promise<string> {
    const log = () => this.#opened.api.log(pod, options, signal);
    return await this.#request("get", { kind: "Pod", name: pod }, signal, log);
  }

  async forward(pod: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const forward = () => this.#opened.api.forward(pod, port, signal);
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
