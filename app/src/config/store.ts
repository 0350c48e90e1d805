import { z } from "zod";
import { wholeNumber } from "./kinds.ts";

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
  DATA_QUOTA: wholeNumber(65_536, 1024 ** 4)
    .prefault("268435456")
    .describe(
      "Bytes that the records of one principal may take in `DATA_DIR`; of everybody together where `AUTH_MODE` is `off`.",
    ),
};

type Values = z.output<z.ZodObject<typeof storeVariables>>;

export function storeConfig(values: Values) {
  const { DATA_DIR: folder, DATA_DURABILITY: durability, DATA_QUOTA: quota } = values;
  return folder === undefined ? undefined : { folder, durability, quota };
}

/** Absent: records are kept in memory. */
export type StoreConfig = NonNullable<ReturnType<typeof storeConfig>>;
