import { z } from "zod";

/** Terraform reads these before it can evaluate or escape anything. */
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of an S3 bucket");
const regionName = z.string().regex(/^[a-z0-9-]+$/, "must be an AWS region such as 'eu-central-1'");

/** Where Terraform keeps the state of each stack. */
export const state = z.discriminatedUnion("backend", [
  /** A file in the working directory: for one person on one machine. */
  z.strictObject({ backend: z.literal("local") }),
  /** S3 with its own lock file; the bucket exists beforehand, versioned and encrypted. */
  z.strictObject({ backend: z.literal("s3"), bucket: bucketName, region: regionName }),
]);
