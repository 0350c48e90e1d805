import { randomUUID } from "node:crypto";
import type {
  Kind,
  KubeObject,
  ListOptions,
  ObjectRef,
  Operation,
} from "../../release/targets/kubernetes/api/kube-api.ts";
import { alreadyExists, modified, notFound, testFailed, type Failure, type Subject } from "./failures.ts";
import { copy, same } from "./json.ts";
import { applied, PatchFailed } from "./json-patch.ts";

/** An object of any kind, with the parts that tests read and write. */
export interface StoredObject extends KubeObject {
  readonly metadata: KubeObject["metadata"] & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
  };
  readonly spec?: Readonly<Partial<Draft["spec"]>>;
  readonly status?: Readonly<Draft["status"]>;
}

export interface Draft {
  metadata: {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec: {
    selector: Record<string, string>;
    replicas: number;
    minReplicas: number;
    template: { metadata: { annotations?: Record<string, string> }; spec: { containers: object[] } };
    holderIdentity?: string;
    renewTime?: string;
    leaseDurationSeconds?: number;
    suspend?: boolean;
    activeDeadlineSeconds?: number;
  };
  data?: Record<string, string>;
  status: Record<string, unknown>;
}

/** A write that took effect. */
export interface Change {
  readonly kind: Kind;
  readonly before: StoredObject | undefined;
  readonly after: StoredObject | undefined;
}

export class Refused extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.body.message);
    this.failure = failure;
  }
}

/**
 * The objects of one namespace, as an API server keeps them: each write is one step that either happens whole or is refused.
 *
 * Objects are never changed in place, so that what a client has read stays as it was.
 */
export class KubeStore {
  readonly namespace: string;
  /** What containers have printed, by the names of their pods. */
  readonly logs = new Map<string, string>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(change: Change) => void>();
  #version = 100;

  constructor(namespace = "mcp") {
    this.namespace = namespace;
  }

  get version(): string {
    return String(this.#version);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(object: ObjectRef): StoredObject | undefined {
    return this.#objects.get(key(object));
  }

  /** @param among the objects to choose from. @default - those of this kind */
  list(kind: Kind, { labelSelector = "", fieldSelector = "" }: ListOptions = {}, among = this.#all(kind)) {
    const labels = conditions(labelSelector);
    const fields = conditions(fieldSelector);
    return among
      .filter(({ metadata }) => labels.every(([name, value]) => metadata.labels?.[name] === value))
      .filter((object) => fields.every(([path, value]) => (field(object, path) ?? "") === value));
  }

  #all(kind: Kind): readonly StoredObject[] {
    return [...this.#objects].filter(([of]) => of.startsWith(`${kind}/`)).map(([, object]) => object);
  }

  /** @throws Refused */
  create(kind: Kind, object: object): StoredObject {
    const { metadata, ...rest } = copy(object) as Omit<StoredObject, "metadata"> & {
      metadata: { name?: string; generateName?: string };
    };
    const name = metadata.name ?? `${metadata.generateName ?? ""}${randomUUID().slice(0, 5)}`;
    if (this.get({ kind, name }) !== undefined) throw new Refused(alreadyExists(this.#about("create", { kind, name })));
    const created = {
      ...rest,
      metadata: {
        creationTimestamp: "2026-01-01T00:00:00Z",
        ...metadata,
        name,
        namespace: this.namespace,
        uid: randomUUID(),
        generation: 1,
        resourceVersion: this.#next(),
      },
    };
    return this.#put(kind, undefined, created);
  }

  /** @throws Refused */
  patch(object: ObjectRef, operations: readonly Operation[]): StoredObject {
    const before = this.get(object);
    const subject = this.#about("patch", object);
    if (before === undefined) throw new Refused(notFound(subject));
    let after: StoredObject;
    try {
      after = applied(before, operations);
    } catch (error) {
      if (error instanceof PatchFailed) throw new Refused(testFailed());
      throw error;
    }
    if (after.metadata.resourceVersion !== before.metadata.resourceVersion) throw new Refused(modified(subject));
    return this.#replace(object.kind, before, after);
  }

  /** A write of a controller or a person, who read the object just now. */
  edit(object: ObjectRef, change: (draft: Draft) => void): StoredObject {
    const before = this.get(object);
    if (before === undefined) throw new Refused(notFound(this.#about("patch", object)));
    const draft = copy(before);
    // A copy may be changed.
    change(draft as unknown as Draft);
    return this.#replace(object.kind, before, draft);
  }

  remove(object: ObjectRef): void {
    const before = this.get(object);
    this.#objects.delete(key(object));
    if (before !== undefined) this.#tell({ kind: object.kind, before, after: undefined });
  }

  /** An object that does not differ keeps its resourceVersion, as in a real API server. */
  #replace(kind: Kind, before: StoredObject, after: StoredObject): StoredObject {
    if (same(before, after)) return before;
    const changed = same(before.spec, after.spec) ? 0 : 1;
    const { generation } = before.metadata;
    const metadata = { ...after.metadata, generation: generation + changed, resourceVersion: this.#next() };
    return this.#put(kind, before, { ...after, metadata });
  }

  #put(kind: Kind, before: StoredObject | undefined, after: StoredObject): StoredObject {
    this.#objects.set(key({ kind, name: after.metadata.name }), after);
    this.#tell({ kind, before, after });
    return after;
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #about(verb: Subject["verb"], { kind, name }: ObjectRef): Subject {
    return { verb, kind, name, namespace: this.namespace };
  }

  #next(): string {
    this.#version += 1;
    return this.version;
  }
}

const key = ({ kind, name }: ObjectRef) => `${kind}/${name}`;

function conditions(selector: string): [string, string][] {
  return selector
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", value = ""] = part.split(/==?/);
      return [name, value];
    });
}

const field = (object: object, path: string) =>
  path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], object);
