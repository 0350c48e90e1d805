import { readFileSync } from "node:fs";
import type { ClusterEntry, UserEntry } from "../../../../kubeconfig/schema.ts";

type Pair<Field extends string> = Readonly<Record<Field | `${Field}-data`, string>>;

/** The authorities that may have signed the server's certificate, PEM; undefined for those of the system. */
export const authorityOf = (cluster: ClusterEntry): Buffer | undefined => contentOf(cluster, "certificate-authority");

/** The client's certificate and its key, PEM. */
export function certificateOf(user: UserEntry): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  const cert = contentOf(user, "client-certificate");
  const key = contentOf(user, "client-key");
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function contentOf<Field extends string>(entry: Pair<Field>, field: Field): Buffer | undefined {
  const data: string = entry[`${field}-data`];
  if (data !== "") return Buffer.from(data, "base64");
  const file: string = entry[field];
  return file === "" ? undefined : readFileSync(file);
}
