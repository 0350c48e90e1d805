import { repeated, type Outcome, type Store, type StoredRecord, type Write } from "./store.ts";

/** What all records and the idempotency keys that are remembered may take, as far as can be told. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Besides its texts: the entries of two maps. */
const BYTES_PER_WRITE = 500;

/**
 * Keeps records in this process alone, for a start without a volume. Nothing is ever pushed out to make room: what a receipt has promised to
 * keep as long as the process lives is kept as long.
 */
export class MemoryStore implements Store {
  readonly durability = "process";
  readonly #records = new Map<string, StoredRecord>();
  readonly #writes = new Map<string, { readonly digest: string; readonly version: number }>();
  #bytes = 0;

  /** @throws Error when it is full */
  async put(write: Write): Promise<Outcome> {
    const { key, value, idempotencyKey, digest } = write;
    const before = this.#writes.get(idempotencyKey);
    if (before !== undefined) return repeated(before, write);
    const record = this.#records.get(key);
    const bytes = BYTES_PER_WRITE + 2 * (key.length + value.length + idempotencyKey.length);
    if (this.#bytes + bytes > MAX_BYTES) throw new Error(`the store in memory is full at ${MAX_BYTES} bytes`);
    this.#bytes += bytes - 2 * (record?.value.length ?? 0);

    const version = Math.max(write.version, (record?.version ?? 0) + 1);
    this.#writes.set(idempotencyKey, { digest, version });
    this.#records.set(key, { value, version, idempotencyKey, revision: (record?.revision ?? 0) + 1 });
    return Promise.resolve({ kind: "taken", version, replayed: false });
  }

  get(key: string): Promise<StoredRecord | undefined> {
    return Promise.resolve(this.#records.get(key));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
