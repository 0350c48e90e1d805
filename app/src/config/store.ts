import { z } from "zod";

/** Where writes are kept. */
export const storeVariables = {
  DATA_DIR: z
    .string()
    .startsWith("/", "must be an absolute path")
    .optional()
    .describe(
      "Folder, on a volume, for the store and for the journal of writes that wait for it. Without it records are kept in memory and lost with the process, as their receipts say.",
    ),
  DATA_DURABILITY: z
    .enum(["pod", "volume"], { error: "must be 'pod' or 'volume'" })
    .prefault("volume")
    .describe(
      "What `DATA_DIR` is on, for receipts to say: a `volume` that outlives the pod, or one that goes with the `pod`.",
    ),
};

type Values = z.output<z.ZodObject<typeof storeVariables>>;

/** Absent: records are kept in memory. */
export interface StoreConfig {
  readonly folder: string;
  readonly durability: "pod" | "volume";
}

export function storeConfig(values: Values): StoreConfig | undefined {
  return values.DATA_DIR === undefined ? undefined : { folder: values.DATA_DIR, durability: values.DATA_DURABILITY };
}
