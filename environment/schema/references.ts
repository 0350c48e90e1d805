import { z } from "zod";
import { subdomain, variableName } from "../patterns.ts";

/** Secrets and ConfigMaps of the namespace, by name. Their content is not Terraform's. */

/** A key of Secrets and ConfigMaps. */
const key = z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/, {
  error: ({ input }) => `'${String(input)}' is not a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.'`,
});

const secret = subdomain.describe("the name of a Secret");
const configMap = subdomain.describe("the name of a ConfigMap");

/** Whether pods start without it. @default false */
const optional = z.boolean().default(false);

const valueFrom = z.union(
  [
    z.strictObject({ secret, key: key.describe("the key of the value in the Secret"), optional }),
    z.strictObject({ configMap, key: key.describe("the key of the value in the ConfigMap"), optional }),
  ],
  { error: "must name a Secret or a ConfigMap and a key: { secret: 'name', key: 'key' }" },
);

/** Environment variables by reference. */
export const settingsFrom = z.record(variableName, valueFrom);

/** All values of a Secret or ConfigMap as environment variables, by their keys. */
export const envFrom = z.array(
  z.union(
    [
      z.strictObject({ secret, prefix: variableName.optional(), optional }),
      z.strictObject({ configMap, prefix: variableName.optional(), optional }),
    ],
    { error: "must name a Secret or a ConfigMap: { secret: 'name' }" },
  ),
);

/** Where something is in a container. */
export const folder = z.string().regex(/^\/[^\s:]*[^\s:/]$/, {
  error: ({ input }) => `must be an absolute path such as '/etc/app', not '${String(input)}'`,
});

/** Files in a container: one key as a file, or all keys as files in a folder. */
export const files = z.array(
  z.union(
    [
      z.strictObject({ path: folder, secret, key: key.optional(), optional }),
      z.strictObject({ path: folder, configMap, key: key.optional(), optional }),
    ],
    { error: "must have a path and a Secret or a ConfigMap: { path: '/etc/app', configMap: 'name' }" },
  ),
);
