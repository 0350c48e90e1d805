import { repeated, type Outcome, type Store, type StoredRecord, type Write } from "./store.ts";

/** What all records may take, as far as can be told. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Besides its texts: a record, and its place in the map. */
const BYTES_PER_RECORD = 300;

/** Writes that are known again by their idempotency key, the latest ones. */
const MAX_REMEMBERED = 10_000;

/**
 * Keeps records in this process alone, for a start without a volume. No record is ever pushed out to make room: what a receipt has promised
 * to keep as long as the process lives is kept as long.
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
    const bytes = this.#bytes + sizeOf(key, value) - (record === undefined ? 0 : sizeOf(key, record.value));
    if (bytes > MAX_BYTES) throw new Error(`the store in memory is full at ${MAX_BYTES} bytes`);
    this.#bytes = bytes;

    const version = Math.max(write.version, (record?.version ?? 0) + 1);
    this.#records.set(key, { value, version, idempotencyKey, revision: (record?.revision ?? 0) + 1 });
    this.#remember(idempotencyKey, { digest, version });
    return Promise.resolve({ kind: "taken", version, replayed: false });
  }

  get(key: string): Promise<StoredRecord | undefined> {
    return Promise.resolve(this.#records.get(key));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #remember(idempotencyKey: string, write: { readonly digest: string; readonly version: number }): void {
    this.#writes.set(idempotencyKey, write);
    if (this.#writes.size <= MAX_REMEMBERED) return;
    for (const [oldest] of this.#writes) {
      this.#writes.delete(oldest);
      return;
    }
  }
}

const sizeOf = (key: string, value: string) => BYTES_PER_RECORD + 2 * (key.length + value.length);
