import { z } from "zod";

/** No control characters and no lone surrogates: such keys look or become alike when they are stored. */
const PLAIN = /^\P{C}*$/u;

/** A name that a client gives: of a record, or of a write. */
export const nameOf = (longest: number) =>
  z
    .string("must be a text")
    .min(1, "must not be empty")
    .max(longest, `must be at most ${longest} characters`)
    .regex(PLAIN, "must not have control characters or broken Unicode in it");

export const recordKey = nameOf(200);
