import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { keyOf } from "../../../app/src/cache/key.ts";

/** Few different values, so that two of them are often equal, and often only look alike. */
const leaf = fc.oneof(
  fc.constantFrom(0, -0, 1, NaN, Infinity, 0n, 1n, true, false, null, undefined),
  fc.constantFrom("", "0", "1", "1n", "NaN", "null", "undefined", "a", "\ud800", "\\ud800", '"', ",", "]", "@0"),
  fc.constantFrom(new Date(0), new Date(1)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, tie("array"), tie("object")),
  array: fc.oneof(fc.array(tie("value"), { maxLength: 3 }), fc.sparseArray(tie("value"), { maxNumElements: 2 })),
  object: fc.dictionary(fc.constantFrom("a", "b", "__proto__", "a,b", ""), tie("value"), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}));
const args = fc.array(value, { maxLength: 3 });

/** The same data with every object's properties in the opposite order. */
function reordered(data: unknown): unknown {
  if (Array.isArray(data)) {
    const copy = new Array<unknown>(data.length);
    // Unlike `map`, this keeps holes on every way through.
    data.forEach((item: unknown, index) => (copy[index] = reordered(item)));
    return copy;
  }
  if (typeof data !== "object" || data === null || data instanceof Date) return data;
  const copy = {};
  for (const [name, item] of Object.entries(data).reverse()) {
    Object.defineProperty(copy, name, { value: reordered(item), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

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
    fc.assert(
      fc.property(args, (list) => {
        expect(keyOf(reordered(list) as unknown[])).toBe(keyOf(list));
      }),
      { numRuns: 2000 },
    );
  });

  it("tells values apart that JSON writes alike, and arguments that only look alike when they are joined", () => {
    const lists = [
      [NaN],
      [null],
      [undefined],
      [],
      [0],
      [-0],
      [0n],
      ["0"],
      [new Date(0)],
      [new Date(0).toJSON()],
      [{}],
      [{ a: undefined }],
      [[]],
      [[undefined]],
      [["a", "b"]],
      ["a", "b"],
      ["a,b"],
      ['a","b'],
      [new Array<unknown>(1)],
      [new Array<unknown>(2)],
    ];

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

  it("is the same as it ever was: pods of two versions share what they cache", () => {
    expect(keyOf(["Berlin", { unit: "C", days: [1, 2n, -0] }, undefined, new Date(5)])).toBe(
      '["Berlin",{"days":[1,2n,-0,],"unit":"C",},undefined,@5,]',
    );
    expect(keyOf(["x".repeat(1000)])).toMatchInlineSnapshot(`"#ex3ET89jNWuA68wwnpMdhhpcdXsgHw3g7OH8rd5Z3XU"`);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each<[string, unknown, string]>([
    ["a function", () => 1, "function"],
    ["a symbol", Symbol("s"), "symbol"],
    ["a symbol for a name", { [Symbol("s")]: 1 }, "symbols"],
    ["an instance of a class", new URL("http://localhost"), "URL"],
    ["a Map, whose entries are not properties", new Map([[1, 2]]), "Map"],
    ["a regular expression", /a/, "RegExp"],
    ["bytes", Buffer.from("a"), "Buffer"],
    ["an array with other properties", Object.assign([1], { extra: 1 }), "other properties"],
    ["what contains itself", cycle, "deeper than 64"],
  ])("is refused to %s", (_what, part, reason) => {
    expect(() => keyOf([part])).toThrow(TypeError);
    expect(() => keyOf([part])).toThrow(reason);
  });
});
