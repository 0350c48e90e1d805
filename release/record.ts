import { z } from "zod";
import type { Color } from "./color.ts";

/**
 * The phases of a release, in their order. A release is in exactly one; where it stands is kept by the target, so that whoever
 * comes next can go on.
 *
 * - `stage`: the artifact is being put on the idle color
 * - `verify`: gates look at the idle color
 * - `promote`: gates passed; capacity is matched and traffic is about to move
 * - `bake`: traffic has moved; the old color is kept at full capacity, gates go on
 * - `retire`: the bake passed; capacity pins are being lifted
 * - `rollback`: traffic is moving back
 * - `ended`: nothing is under way; `outcome` says how it went
 */
export const PHASES = ["stage", "verify", "promote", "bake", "retire", "rollback", "ended"] as const;

export type Phase = (typeof PHASES)[number];

const color = z.enum(["blue", "green"]) satisfies z.ZodType<Color>;

export const releaseRecordSchema = z.strictObject({
  id: z.string(),
  image: z.string(),
  version: z.string(),
  from: color,
  to: color,
  phase: z.enum(PHASES),
  startedAt: z.iso.datetime(),
  /** Pods that each color is pinned at, once capacity was matched. */
  capacity: z.number().int().positive().optional(),
  /** Pins were lifted after a release: a rollback has to match capacity first. */
  retired: z.boolean().optional(),
  /** How it ended, once it has. */
  outcome: z.enum(["released", "refused", "rolled-back"]).optional(),
  /** Why it ended so, or why it waits. */
  reason: z.string().optional(),
});

export type ReleaseRecord = Readonly<z.output<typeof releaseRecordSchema>>;
