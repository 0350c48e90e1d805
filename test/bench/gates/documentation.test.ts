import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { resultsSchema } from "../../../bench/results.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../../..", path), "utf8");

describe("the figures in docs/bake-statistics.md", () => {
  it("are the results, in their order", () => {
    const { measurements } = resultsSchema.parse(JSON.parse(read("bench/results/gates.json")));
    const [, section = ""] = read("docs/bake-statistics.md").split("## How often it is wrong");
    const figures = (text: string) =>
      Array.from(text.matchAll(/([\d.,]+) (%|calls) +\|/g), ([, figure = ""]) => Number(figure.replace(",", "")));
    const [tests = "", outages = ""] = section.split("`detect: 3`");
    const ofParts = (from: number, to: number) => measurements.slice(from, to).map(({ value }) => value);
    const enough = measurements.findIndex(({ what }) => what.startsWith("enough calls"));

    expect(figures(tests)).toEqual(ofParts(0, enough));
    expect(figures(outages)).toEqual(ofParts(enough + 4, -1));
    for (const value of ofParts(enough, enough + 3)) expect(section.split(/\s/)).toContain(String(value));
    expect(section).toContain(`within ${measurements.at(-1)?.value} s`);
  });
});
