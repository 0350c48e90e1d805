import { describe, expect, it } from "@jest/globals";
import * as patterns from "../../environment/patterns.ts";
import { PATTERN_VALUES } from "./pattern-values.ts";

const NAMES = Object.keys(PATTERN_VALUES) as (keyof typeof PATTERN_VALUES)[];

/** What is said about a text, if anything. */
const said = (pattern: keyof typeof patterns, text: unknown) =>
  patterns[pattern].safeParse(text).error?.issues.map(({ message }) => message);

describe("the texts that the API accepts", () => {
  it.each(NAMES)("as %s pass, and others are refused with the value", (name) => {
    for (const text of PATTERN_VALUES[name].accepted) expect(said(name, text)).toBeUndefined();
    for (const text of PATTERN_VALUES[name].refused) {
      expect(said(name, text)).toEqual([expect.stringContaining(text.slice(0, 40))]);
    }
  });

  it.each([
    ["dnsLabel", "Bad_Name", "write 'bad-name'"],
    ["label1035", "1st app", "write 'st-app'"],
    ["subdomain", "My Config.YML", "write 'my-config.yml'"],
    ["qualifiedName", "example.com/my team", "write 'example.com/my-team'"],
    ["labelValue", "a team", "write 'a-team'"],
    ["variableName", "log-level", "write 'log_level'"],
    ["quantity", "512MB", "write '512Mi' (powers of 1024) or '512M' (powers of 1000)"],
    ["quantity", "1.5 gib", "write '1.5Gi' (powers of 1024) or '1.5G' (powers of 1000)"],
    ["quantity", "two", "write '250m', '2', '512Mi' or '1Gi'"],
    ["ociReference", "MyRegistry/App:1", "write 'app', a repository has no capital letters"],
  ] as const)("as %s are shown beside '%s'", (name, text, instead) => {
    expect(said(name, text)?.join()).toContain(`'${text}' is not`);
    expect(said(name, text)?.join()).toContain(instead);
  });

  it("become what the API writes back, if they are quantities", () => {
    expect(patterns.quantity.parse("1024Mi")).toBe("1Gi");
  });
});
