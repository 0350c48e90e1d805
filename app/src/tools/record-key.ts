import { z } from "zod";

/** Without control characters and lone surrogates: stored keys could look or become equal. */
const PLAIN = /^\P{C}*$/u;

/** A name that a client gives to a record or a write. */
export const nameOf = (longest: number) =>
  z
    .string("must be a text")
    .min(1, "must not be empty")
    .max(longest, `must be at most ${longest} characters`)
    .regex(PLAIN, "must not have control characters or broken Unicode in it");

export const recordKey = nameOf(200);
