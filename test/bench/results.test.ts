import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { resultsSchema } from "../../bench/results.ts";

const FOLDER = join(import.meta.dirname, "../../bench/results");

describe("the results that come with the project", () => {
  it.each(readdirSync(FOLDER))("are figures with the machine they were measured on, and nothing else: %s", (file) => {
    const { measurements } = resultsSchema.parse(JSON.parse(readFileSync(join(FOLDER, file), "utf8")));

    for (const { what, value } of measurements) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(what).not.toMatch(/[\\/]\w+[\\/]/);
    }
  });
});
