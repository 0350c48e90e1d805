import { z } from "zod";
import { MAX_VALUE_BYTES, receipt, type Receipt, type ResilientStore } from "../store/resilient-store.ts";
import { argumentsOf } from "./arguments.ts";
import { nameOf, recordKey } from "./record-key.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({
  key: recordKey.describe("Name of the record to write, such as 'user/42/preferences'"),
  value: z
    .unknown()
    .nonoptional("must be there: any JSON")
    .describe(
      `What to store: any JSON of up to ${MAX_VALUE_BYTES / 1024} KiB. It replaces what was stored under the key`,
    ),
  idempotencyKey: nameOf(100)
    .optional()
    .describe(
      "A name of your own for this write: called again with it, the same write is not made twice. Made up if absent",
    ),
});

/** Writes a record, also while the store is down. */
export function storeDataResilient(store: ResilientStore): Tool<z.output<typeof inputSchema>> {
  return {
    name: "store_data_resilient",
    title: "Store data",
    description:
      "Stores a JSON value under a key, replacing what was there; get_data reads it back. Keys are your own: no other client sees them. Accepts writes even while the store is down: the receipt says whether the value is `stored` or `queued`, and how durable it is there.",
    inputSchema,
    outputSchema: receipt,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    async handle(request, { call, principal }) {
      const written = await store.write({ ...request, principal }, call);
      return answer(written, describe(written));
    },
  };
}

const KEPT = {
  process: "in memory, until this server process ends",
  pod: "on the disk of this pod",
  volume: "on disk",
  "redis-aof": "in Redis, which writes it to disk",
  "redis-memory": "in Redis's memory",
  "redis-unknown": "in Redis",
} as const satisfies Record<Receipt["durability"], string>;

function describe({ key, idempotencyKey, status, durability, replayed }: Receipt): string {
  const again = replayed ? " This write had been accepted before; nothing was written twice." : "";
  if (status === "stored") return `Stored under '${key}', ${KEPT[durability]}.${again}`;
  return `Accepted for '${key}' and kept ${KEPT[durability]}; the store is down and gets it when it is back. No need to repeat it; if you do, use idempotencyKey '${idempotencyKey}'.${again}`;
}
