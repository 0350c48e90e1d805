import { z } from "zod";
import { subdomain, variableName } from "../patterns.ts";

/** A key of Secrets and ConfigMaps. */
const key = z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, {
  error: ({ input }) => `'${String(input)}' is not a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.'`,
});

/** One value of a Secret or ConfigMap that exists in the namespace. Its content is not Terraform's. */
export const valueFrom = z.union(
  [
    z.strictObject({
      secret: subdomain.describe("the Secret that has the value"),
      key: key.describe("the key of the value in the Secret"),
      /** Whether pods start without it. @default false */
      optional: z.boolean().default(false),
    }),
    z.strictObject({
      configMap: subdomain.describe("the ConfigMap that has the value"),
      key: key.describe("the key of the value in the ConfigMap"),
      /** Whether pods start without it. @default false */
      optional: z.boolean().default(false),
    }),
  ],
  { error: "must name a Secret or a ConfigMap and a key: { secret: 'name', key: 'key' }" },
);

/** Environment variables by reference. */
export const settingsFrom = z.record(variableName, valueFrom);
