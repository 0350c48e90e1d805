import { overQuota, ownerOf } from "./owner.ts";
import { repeated, type Outcome, type Store, type StoredRecord, type Write } from "./store.ts";

/** Estimated bytes of all records, and of those of one owner. */
const MAX_BYTES = 16 * 1024 * 1024;
const QUOTA = 4 * 1024 * 1024;

/** Bytes of a record without its texts. */
const BYTES_PER_RECORD = 300;

/** Writes that are remembered by their idempotency key; the latest ones stay. */
const MAX_REMEMBERED = 10_000;

/**
 * Stores records in this process, for a start without a volume. No record is evicted, because a
 * receipt promises it for the life of the process. A write without room is refused, which is not a
 * failure of the store.
 */
export class MemoryStore implements Store {
  readonly durability = "process";
  readonly #records = new Map<string, StoredRecord>();
  readonly #writes = new Map<string, Pick<Write, "digest" | "version">>();
  readonly #used = new Map<string, number>();
  #bytes = 0;

  put(write: Write): Promise<Outcome> {
    return Promise.resolve(this.#put(write));
  }

  get(key: string): Promise<StoredRecord | undefined> {
    return Promise.resolve(this.#records.get(key));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #put(write: Write): Outcome {
    const { key, value, idempotencyKey, digest } = write;
    const before = this.#writes.get(idempotencyKey);
    if (before !== undefined) return repeated(before, write);
    const record = this.#records.get(key);
    const growth = sizeOf(key, value) - (record === undefined ? 0 : sizeOf(key, record.value));
    const owner = ownerOf(key);
    const used = (this.#used.get(owner) ?? 0) + growth;
    // If principals are not distinguished, there is only one owner.
    if (growth > 0 && owner !== "" && used > QUOTA) return { kind: "refused", reason: overQuota(used, QUOTA) };
    if (growth > 0 && this.#bytes + growth > MAX_BYTES)
      return { kind: "refused", reason: `the store is in memory and full at ${MAX_BYTES} bytes` };
    this.#bytes += growth;
    this.#used.set(owner, used);

    const version = Math.max(write.version, (record?.version ?? 0) + 1);
    this.#records.set(key, { value, version, idempotencyKey, revision: (record?.revision ?? 0) + 1 });
    this.#remember(idempotencyKey, { digest, version });
    return { kind: "taken", version, replayed: false };
  }

  #remember(idempotencyKey: string, write: Pick<Write, "digest" | "version">): void {
    this.#writes.set(idempotencyKey, write);
    if (this.#writes.size <= MAX_REMEMBERED) return;
    for (const [oldest] of this.#writes) {
      this.#writes.delete(oldest);
      return;
    }
  }
}

const sizeOf = (key: string, value: string) => BYTES_PER_RECORD + 2 * (key.length + value.length);
