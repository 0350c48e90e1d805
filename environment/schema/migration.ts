import { z } from "zod";
import { count } from "../patterns.ts";

/**
 * A program of the new version that a release runs once, before the version is staged, such as one that changes the schema
 * of a database. It has the settings, Secrets, volumes and service account of the pods, and the release's mark in
 * `RELEASE_MARK`. See docs/migrations.md.
 */
export const migration = z.strictObject({
  /** On this machine: a command as a terminal takes it, started where the host was; `CANDIDATE` is the path of the bundle. */
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe("the program of the new image, and its arguments: ['node', 'migrate.js']"),
  /** @default none */
  args: z.array(z.string()).default([]),
  /** A migration that takes longer is ended, and the release is aborted. @default 600 */
  timeoutSeconds: count.default(600),
  /** How long a finished Job and its log stay in the cluster. @default 86,400, a day */
  ttlSeconds: count.default(86_400),
});

export type MigrationSettings = z.output<typeof migration>;
