import { reason } from "../targets/pages.ts";

const LONGEST = 300;

/** An error in one line, for evidence. */
export const inOneLine = (error: unknown): string => reason(error).replaceAll(/\s+/g, " ").slice(0, LONGEST);
