import { z } from "zod";
import { count, ociReference, variableName } from "../patterns.ts";

/** An image with a static `/bin/busybox`, 1 MB. */
export const PAUSE_IMAGE =
  "docker.io/library/busybox:1.37.0-musl@sha256:fc6dddc4c44b1bfe37f41cae8e67d1693828e8f42a91862816d7953e2c9d3f23";

const ending = {
  /** The signal that ends the program. It is the image's (`STOPSIGNAL`); a release on this machine sends this one. */
  signal: z.enum(["SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1"]).default("SIGTERM"),
  /** From the start of the pause until what is left is killed. @default - 30, or what `durations` add up to */
  graceSeconds: count.optional(),
  /** Variables that say how long the program takes to stop, with their defaults; the grace holds all of them, and 5 s. */
  durations: z.record(variableName, z.string()).default({}),
};

/** Time for every node to learn that a pod gets no new connections, before the program is told to stop. @default 5 */
const pauseSeconds = count.default(5);

/** How the program stops. */
export const stop = z.discriminatedUnion("pause", [
  /** An init container copies a static program onto a volume, and the pause runs it: it needs no shell in the image. */
  z.strictObject({
    pause: z.literal("copied"),
    pauseSeconds,
    /** An image with a static busybox at `/bin/busybox`. @default PAUSE_IMAGE */
    image: ociReference.default(PAUSE_IMAGE),
    ...ending,
  }),
  /** A program that the image has. If it fails, the container ends without a pause. */
  z.strictObject({
    pause: z.literal("own"),
    pauseSeconds,
    /** Has to wait for `pauseSeconds`. */
    command: z.array(z.string()).min(1).describe("the program of the image that waits, and its arguments"),
    ...ending,
  }),
  /** Calls may fail whenever a live pod ends. */
  z.strictObject({ pause: z.literal("none"), ...ending }),
]);
