import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { resultsSchema } from "../../bench/results.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

/** What the table says and the sentence below it, in their order. Indented, as in the results: of a library in place of the one before it. */
const SAID = [
  ["breaker, closed, over it", "  cockatiel's", "  opossum's"],
  ["breaker with a timeout", "  opossum's"],
  ["breaker by failure rate"],
  ["adaptive breaker"],
  ["rejection by tryAcquire, with its await"],
  ["rejection by execute", "  cockatiel's", "  opossum's"],
  ["limiter, bulkhead, retry, breaker, timeout", "  cockatiel's, without a limiter"],
  ["limiter, bulkhead, retry, breaker, timeout", "  for a caller who may cancel"],
  ["deadline", "  cockatiel's"],
  ["bulkhead"],
  ["rate limiter"],
  ["retry"],
  ["load balancer of 10"],
  ["fallback"],
  // Below the table.
  ["100,000 breakers made, registered and walked"],
  ["a breaker's memory, registered, with its name"],
];

describe("the table of costs in docs/resilience.md", () => {
  it("says what the results say, give or take a half, as two runs may differ", () => {
    const { measurements } = resultsSchema.parse(JSON.parse(read("bench/results/resilience.json")));
    const found = (of: string, what: string) => {
      const start = measurements.findIndex((one) => one.what === of);
      const index = measurements.findIndex((one, index) => index >= start && one.what === what);
      return measurements[index]?.value ?? NaN;
    };
    const measured = SAID.flatMap(([of = "", ...others]) =>
      (others[0] === "  for a caller who may cancel" ? others : [of, ...others]).map((what) => found(of, what)),
    );
    const [, section = ""] = read("docs/resilience.md").split("## What it costs");
    const rows = section
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .slice(2);
    const inTable = rows.flatMap((row) =>
      row
        .split("|")
        .slice(2)
        .flatMap((cell) => cell.match(/\d+\.\d+/g) ?? []),
    );
    const below = /walked in (\d+) ms, and hold (\d+) bytes/.exec(section) ?? [];
    const said = [...inTable, ...below.slice(1)];

    expect(said).toHaveLength(measured.length);
    for (const [index, figure] of said.entries()) {
      const ratio = Number(figure) / (measured[index] ?? NaN);
      expect({ figure, ratio, isClose: ratio > 1 / 1.5 && ratio < 1.5 }).toMatchObject({ isClose: true });
    }
  });
});
