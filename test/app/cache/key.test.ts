import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { keyOf } from "../../../app/src/cache/key.ts";

/** Few different values, so that two of them are often equal, and often only look alike. */
const leaf = fc.oneof(
  fc.constantFrom(0, -0, 1, true, false, null),
  fc.constantFrom("", "0", "1", "null", "a", "\ud800", "\\ud800", '"', ",", "]"),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, tie("array"), tie("object")),
  array: fc.array(tie("value"), { maxLength: 3 }),
  object: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "a,b", ""), tie("value"), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}));
const args = fc.array(value, { maxLength: 3 });

describe("the key of arguments", () => {
  it("is the same for two lists exactly when they are equal", () => {
    let equal = 0;
    fc.assert(
      fc.property(args, args, (one, other) => {
        const areEqual = isDeepStrictEqual(one, other);
        if (areEqual) equal += 1;
        expect(keyOf(one) === keyOf(other)).toBe(areEqual);
      }),
      { numRuns: 5000 },
    );
    expect(equal).toBeGreaterThan(50);
  });

  it("does not depend on the order of properties", () => {
    expect(keyOf([{ a: 1, b: { c: 2, d: 3 } }])).toBe(keyOf([{ b: { d: 3, c: 2 }, a: 1 }]));
  });

  it("tells arguments apart that only look alike when they are joined", () => {
    const lists = [[null], [], [0], [-0], ["0"], [{}], [[]], [["a", "b"]], ["a", "b"], ["a,b"], ['a","b']];

    expect(new Set(lists.map(keyOf)).size).toBe(lists.length);
  });

  it("stays short, however long the arguments are, and still tells them apart", () => {
    const long = "x".repeat(100_000);

    expect(keyOf([long]).length).toBeLessThan(50);
    expect(keyOf([`${long}1`])).not.toBe(keyOf([`${long}2`]));
  });

  it("is never that of a hash which somebody passes as an argument", () => {
    const hash = keyOf(["x".repeat(1000)]);

    expect(keyOf([hash])).not.toBe(hash);
  });

  it("is the same as it ever was: digests of stored writes live for a week, and pods of two versions share a store", () => {
    expect(keyOf(["Berlin", { unit: "C", days: [1, 2.5, -0], more: null, on: true }])).toBe(
      '["Berlin",{"days":[1,2.5,-0,],"more":null,"on":true,"unit":"C",},]',
    );
    expect(keyOf(["x".repeat(1000)])).toMatchInlineSnapshot(`"#ex3ET89jNWuA68wwnpMdhhpcdXsgHw3g7OH8rd5Z3XU"`);
  });
});
