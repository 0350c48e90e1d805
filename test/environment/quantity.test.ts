import { describe, expect, it } from "@jest/globals";
import { canonicalQuantity, isMoreThan, isQuantity, quantityOf } from "../../environment/quantity.ts";

describe("a quantity", () => {
  it.each([
    ["1000", "1k"],
    ["0.5", "500m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    [".25", "250m"],
    ["2.", "2"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["1025", "1025"],
    ["1Ei", "1Ei"],
    ["1e3", "1e3"],
    ["1500e0", "1500"],
    ["0.0000000001", "1n"],
    ["0", "0"],
    ["0Gi", "0"],
  ])("written %s is what the API writes back as %s", (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });

  it.each(["512MB", "1 Gi", "1GiB", "1K", "-1", "", ".", "Gi", "1e", "a", "1,5Gi"])("is not %p", (text) => {
    expect(isQuantity(text)).toBe(false);
  });

  it("is compared by its value, whatever its form", () => {
    expect(isMoreThan("1Gi", "1G")).toBe(true);
    expect(isMoreThan("2", "1500m")).toBe(true);
    expect(isMoreThan("1Gi", "1024Mi")).toBe(false);
    expect(isMoreThan("1e3", "1k")).toBe(false);
  });

  it("is made from a number as well", () => {
    expect([1000, 12.5, 0.0001, 60].map(quantityOf)).toEqual(["1k", "12500m", "100u", "60"]);
  });
});
