import { z } from "zod";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

type Duration = `${number}${keyof typeof UNITS}`;

/**
 * A whole number and a unit, as milliseconds. Every duration has an upper bound, because a timer of
 * more than 2³¹ - 1 ms, about 596 hours, fires after 1 ms.
 */
export const duration = (min: Duration, max: Duration) =>
  z
    .string()
    .regex(/^\d+(ms|s|m|h)$/, "must be a whole number and a unit: '500ms', '60s', '5m' or '1h'")
    .transform(milliseconds)
    .refine((value) => value >= milliseconds(min) && value <= milliseconds(max), `must be between ${min} and ${max}`);

function milliseconds(text: string): number {
  const unit = /ms|s|m|h/.exec(text)?.[0] as keyof typeof UNITS;
  return Number.parseInt(text, 10) * UNITS[unit];
}

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);

export const port = wholeNumber(0, 65_535);
export const count = wholeNumber(1, 1_000_000);

/** A URL without credentials, for which `fetch` throws. */
export const url = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .refine(hasNoCredentials, "must have no user and no password");

export function hasNoCredentials(text: string): boolean {
  const { username = "", password = "" } = URL.parse(text) ?? {};
  return username === "" && password === "";
}

/** `true` or `false` in exactly this spelling. */
export const flag = z
  .enum(["true", "false"], { error: "must be 'true' or 'false'" })
  .transform((text) => text === "true");

/** Items separated by commas and trimmed; empty items are ignored. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

export const hostNames = list.transform((names) => names.map((name) => name.toLowerCase()));
