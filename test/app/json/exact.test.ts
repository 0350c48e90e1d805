import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseExactly, stringifyExactly } from "../../../app/src/json/exact.ts";

const tooLarge = () => new Error("too large");

describe("JSON that is parsed exactly", () => {
  it("says the same when it is written again, whatever the integers in it", () => {
    const integer = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
    fc.assert(
      fc.property(fc.array(integer), integer, (list, one) => {
        const json = `{"list":[${list.join(",")}],"one":${one}}`;

        expect(stringifyExactly(parseExactly(json), tooLarge)).toBe(json);
        expect(JSON.stringify(parseExactly(json))).toBe(json);
      }),
    );
  });

  it("gives numbers where a double holds the integer, and bigints where not", () => {
    expect(parseExactly("[9007199254740991, 9007199254740992, 9007199254740993, -725653563933458432]")).toEqual([
      9007199254740991,
      9007199254740992,
      9007199254740993n,
      -725653563933458432n,
    ]);
  });

  it("gives doubles for fractions and exponents, with large integers beside them or not", () => {
    const doubles = "0.1,1e22,12345678901234567.5,1E400,-0";

    expect(parseExactly(`[${doubles}]`)).toEqual([0.1, 1e22, 12345678901234568, Infinity, -0]);
    expect(parseExactly(`[9007199254740993,${doubles}]`)).toEqual([
      9007199254740993n,
      ...[0.1, 1e22, 12345678901234568, Infinity, -0],
    ]);
  });

  it("leaves digits in strings and names alone", () => {
    const json = '{"725653563933458432":"725653563933458432,725653563933458432"}';

    expect(parseExactly(json)).toEqual(JSON.parse(json));
  });

  it("is not written again with a number that is too large for a double", () => {
    for (const json of ["[1e400]", '{"id":-1e400}', `[${"9".repeat(400)}]`])
      expect(() => stringifyExactly(parseExactly(json), tooLarge)).toThrow("too large");
  });
});
