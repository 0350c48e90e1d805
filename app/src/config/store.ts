import { z } from "zod";
import { wholeNumber } from "./kinds.ts";

export const storeVariables = {
  DATA_DIR: z
    .string()
    .startsWith("/", "must be an absolute path")
    .optional()
    .describe(
      "Folder on a volume for the store and the journal of waiting writes. Without it, records are in memory and lost with the process, as their receipts say.",
    ),
  DATA_DURABILITY: z
    .enum(["pod", "volume"], { error: "must be 'pod' or 'volume'" })
    .prefault("volume")
    .describe(
      "Durability of `DATA_DIR` in receipts: a `volume` that outlives the pod, or one that is deleted with the `pod`.",
    ),
  DATA_QUOTA: wholeNumber(65_536, 1024 ** 4)
    .prefault("268435456")
    .describe("Bytes of the records of one principal in `DATA_DIR`; with `AUTH_MODE=off`, of all records."),
};

type Values = z.output<z.ZodObject<typeof storeVariables>>;

export function storeConfig(values: Values) {
  const { DATA_DIR: folder, DATA_DURABILITY: durability, DATA_QUOTA: quota } = values;
  return folder === undefined ? undefined : { folder, durability, quota };
}
