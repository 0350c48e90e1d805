import { z } from "zod";
import { APP } from "../names.ts";
import { count, label1035, ociReference, variableName } from "../patterns.ts";
import { dataVolume } from "./data-volume.ts";
import { redis } from "./redis.ts";
import { envFrom, files, settingsFrom } from "./references.ts";
import { resources } from "./resources.ts";

/** One version of the program, and what this environment gives to it. */
export const app = z.strictObject({
  /** What its objects are called. Several apps share a namespace under names of their own. @default "mcp-app" */
  name: label1035
    .max(42)
    .refine((name) => name !== "mcp", "'mcp' would share names with the default app 'mcp-app': use another")
    .default(APP),
  /** The image that both colors start with; each release names its own. */
  image: ociReference.describe("the image that both colors start with"),
  /** `digest` refuses an image that is not pinned; `any` is for images that no registry holds. @default "digest" */
  imagePolicy: z.enum(["digest", "any"]).default("digest"),
  /** Plain settings, as environment variables: see docs/configuration.md for those of the bundled app. Never a secret. */
  settings: z.record(variableName, z.string()).default({}),
  /** Settings that look like secrets by their name or value, and are none. */
  notSecret: z.array(variableName).default([]),
  /** Environment variables whose values are in Secrets and ConfigMaps that exist. */
  settingsFrom: settingsFrom.default({}),
  /** Secrets and ConfigMaps all of whose values are environment variables, by their keys. */
  envFrom: envFrom.default([]),
  /** Secrets and ConfigMaps as files. */
  files: files.default([]),
  /** What one pod requests and may use. */
  resources: resources.prefault({}),
  /** Host names (no port) that clients may use to reach the app; anything else is refused. */
  allowedHosts: z.array(z.string().min(1)).default([]),
  /** Host names of web pages that may call the app from a browser. @default none */
  allowedOrigins: z.array(z.string().min(1)).default([]),
  /**
   * Revisions of the request-state key that exist. New pods use the highest; keep a lower one until no color names it.
   * @default - [1], if the server has such a key
   */
  requestStateKeyRevisions: z.array(count).min(1).optional(),
  /** @default - each pod is on its own */
  redis: redis.optional(),
  /** Where pods keep what clients store: see docs/store.md. @default none: in memory, and lost with the process */
  dataVolume: dataVolume.optional(),
});
