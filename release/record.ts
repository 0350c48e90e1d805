import { z } from "zod";
import type { Color } from "../environment/color.ts";

/**
 * The phases of a release, in their order. A release is in exactly one. The target keeps the phase, so that any later
 * command can go on from there.
 *
 * - `stage`: the artifact is being put on the idle color
 * - `verify`: gates check the idle color
 * - `promote`: gates passed; the capacity is in place and the traffic is about to move
 * - `bake`: the traffic has moved; the old color keeps its full capacity and gates go on checking
 * - `retire`: the bake passed; the replica overrides are being removed
 * - `rollback`: the traffic is moving back
 * - `ended`: nothing is in progress; `outcome` says how it went
 */
export const PHASES = ["stage", "verify", "promote", "bake", "retire", "rollback", "ended"] as const;

export type Phase = (typeof PHASES)[number];

const color = z.enum(["blue", "green"]) satisfies z.ZodType<Color>;

const fields = {
  /** Identifies this release's stage in the pods that it created. A resumed stage keeps it; a new release has a new one. */
  mark: z.string(),
  image: z.string(),
  version: z.string(),
  from: color,
  to: color,
  /** What `from` ran when the release began: a rollback returns to this and to nothing else. */
  previous: z.object({ image: z.string().optional(), mark: z.string().optional() }).optional(),
  phase: z.enum(PHASES),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  /** The image that `to` had after its stage, as the target reports it: admission may rewrite images. */
  accepted: z.string().optional(),
  /** How far the migration is that runs before the stage; none if the environment has none. */
  migration: z.enum(["due", "created", "done"]).optional(),
  /** Pods that each color is held at, once the capacity was in place. */
  capacity: z.number().int().positive().optional(),
  /** The replica overrides were removed after a release: a rollback has to scale up first. */
  retired: z.boolean().optional(),
  /** A rollback has waited for the old color's pods, and does not wait again. */
  waited: z.boolean().optional(),
  /** How it ended, once it has. */
  outcome: z.enum(["released", "aborted", "rolled-back"]).optional(),
  /** Why it ended so, or why it is paused. */
  reason: z.string().optional(),
};

const record = z.object({
  ...fields,
  /** The release before this one: the way back while this one has not changed the idle color. */
  earlier: z.object(fields).optional(),
});

export type ReleaseRecord = Readonly<z.output<typeof record>>;

/** Reads records of this version and of the one before it, which had `id` for `mark` and `refused` for `aborted`. */
export const releaseRecordSchema = z.preprocess((value) => {
  if (typeof value !== "object" || value === null || !("id" in value)) return value;
  const { id, outcome, ...rest } = value as Record<string, unknown>;
  return { ...rest, mark: id, outcome: outcome === "refused" ? "aborted" : outcome };
}, record);
