import { z } from "zod";
import { stringify } from "../json/well-formed.ts";
import type { ResilientStore } from "../store/resilient-store.ts";
import { argumentsOf } from "./arguments.ts";
import { recordKey } from "./record-key.ts";
import { answer, type Tool } from "./tool.ts";

const inputSchema = argumentsOf({ key: recordKey.describe("Name of the record to read, as it was stored") });

/** Reads a record that its client has stored. */
export function getData(store: ResilientStore): Tool<z.output<typeof inputSchema>> {
  return {
    name: "get_data",
    title: "Read stored data",
    description:
      "Reads the JSON value that store_data_resilient stored under a key. A write whose receipt said `queued` shows once the store is back and has it. While the store is down, reading fails and says when to try again.",
    inputSchema,
    outputSchema: z.object({
      key: z.string(),
      found: z.boolean(),
      value: z.unknown().optional().describe("Absent where nothing is stored under the key"),
      acceptedAt: z.string().optional().describe("When the value was accepted, ISO 8601, UTC"),
      revision: z.number().int().optional().describe("How many writes have changed the record"),
    }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    async handle({ key }, { call, principal }) {
      const record = await store.read(principal, key, call);
      if (record === undefined) return answer({ key, found: false }, `Nothing is stored under '${key}'.`);
      return answer({ key, found: true, ...record }, `Under '${key}': ${stringify(record.value)}`);
    },
  };
}
