import { z } from "zod";

/** Go reads an explicit null as an absent field, and writes an empty string for it. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const list = <T extends z.ZodType>(items: T) =>
  z
    .array(items)
    .nullish()
    .transform((value) => value ?? []);

const execSchema = z.object({
  apiVersion: text,
  command: text,
  args: list(z.string()),
  env: list(z.object({ name: text, value: text })),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: text,
});

const clusterSchema = z.object({
  server: text,
  "tls-server-name": text,
  "insecure-skip-tls-verify": flag,
  "certificate-authority": text,
  "certificate-authority-data": text,
  "proxy-url": text,
  "disable-compression": flag,
  extensions: list(z.object({ name: text, extension: z.unknown() })),
});

const userSchema = z.object({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  as: text,
  "as-uid": text,
  "as-groups": list(z.string()),
  "as-user-extra": z
    .record(z.string(), z.array(z.string()))
    .nullish()
    .transform((extra) => extra ?? {}),
  username: text,
  password: text,
  "auth-provider": z.object({ name: text }).nullish(),
  exec: execSchema.nullish(),
});

const contextSchema = z.object({ cluster: text, user: text, namespace: text });

/** A kubeconfig file. Fields that decide nothing about a connection are left out. */
export const kubeconfigSchema = z.object({
  "current-context": text,
  clusters: list(z.object({ name: text, cluster: clusterSchema.nullish() })),
  users: list(z.object({ name: text, user: userSchema.nullish() })),
  contexts: list(z.object({ name: text, context: contextSchema.nullish() })),
});

export type KubeconfigFile = z.infer<typeof kubeconfigSchema>;
export type ClusterEntry = z.infer<typeof clusterSchema>;
export type UserEntry = z.infer<typeof userSchema>;
export type ExecEntry = z.infer<typeof execSchema>;
export type ContextEntry = z.infer<typeof contextSchema>;

export const NO_CLUSTER: ClusterEntry = clusterSchema.parse({});
export const NO_USER: UserEntry = userSchema.parse({});
export const NO_CONTEXT: ContextEntry = contextSchema.parse({});
