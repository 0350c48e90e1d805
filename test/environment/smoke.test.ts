import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { smoke } from "../../environment/schema/smoke.ts";

const read = (expect: unknown) => smoke.parse({ tool: "a", expect }).expect as z.ZodType;
const accepts = (schema: unknown, answer: unknown) => read(schema).safeParse(answer).success;

describe("what a smoke call expects", () => {
  it("is a JSON Schema of an object, as structured answers are", () => {
    const schema = { properties: { city: { const: "Berlin" }, wind: { properties: { speed: { minimum: 3 } } } } };

    expect(accepts(schema, { city: "Berlin", wind: { speed: 4 }, more: 1 })).toBe(true);
    expect(accepts(schema, { city: "Bonn" })).toBe(false);
    expect(accepts(schema, { city: "Berlin", wind: { speed: 2 } })).toBe(false);
    for (const none of [undefined, null, "Berlin", []]) {
      expect(accepts(schema, none)).toBe(false);
      expect(accepts({}, none)).toBe(false);
    }
  });

  it.each([
    ["a keyword applies to values of its type only", { properties: { a: { minimum: 3 } } }, { a: "x" }, true],
    ["a required property needs no description", { required: ["a"] }, { a: null }, true],
    ["a required property may not be absent", { properties: { b: {} }, required: ["a"] }, { b: 1 }, false],
    ["one of several may hold", { anyOf: [{ required: ["a"] }, { required: ["b"] }] }, { b: 1 }, true],
    ["a condition holds", { if: { required: ["a"] }, then: { required: ["b"] } }, { a: 1 }, false],
    [
      "a reference is followed",
      { $defs: { n: { minimum: 3 } }, properties: { a: { $ref: "#/$defs/n" } } },
      { a: 2 },
      false,
    ],
    ["items have places", { properties: { a: { prefixItems: [{ const: 1 }, { const: 2 }] } } }, { a: [1, 3] }, false],
    ["a format is checked", { properties: { a: { format: "date" } } }, { a: "tomorrow" }, false],
    ["a property may be forbidden", { unevaluatedProperties: false, properties: { a: {} } }, { b: 1 }, false],
  ])("follows the standard: %s", (_, schema, answer, isAccepted) => {
    expect(accepts(schema, answer)).toBe(isAccepted);
  });

  it("says of an answer all that is wrong", () => {
    const { error } = read({ required: ["a"], properties: { b: { minimum: 3 } } }).safeParse({ b: 2 });

    expect(error?.issues.map(({ message }) => message)).toEqual([
      "data must have required property 'a', data/b must be >= 3",
    ]);
  });

  it("is a Zod schema or a text, and is the same when it is checked again", () => {
    const schema = z.object({ a: z.string() });

    expect(read(schema)).toBe(schema);
    expect(read(read({ required: ["a"] }))).toBeInstanceOf(z.ZodType);
    expect(read({ text: "sunny" })).toEqual({ text: "sunny" });
  });

  it.each([
    [{ type: "objekt" }, "data/type must be equal to one of the allowed values"],
    [{ requird: ["a"] }, "strict mode: unknown keyword"],
    [{ properties: { a: { format: "emial" } } }, "unknown format"],
    [{ properties: { a: 3 } }, "must be object,boolean"],
    [{ $ref: "https://example.com/other.json" }, "can't resolve reference https://example.com/other.json"],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, "draft-04"],
  ])("is refused as %j, which would check nothing or cannot be used, with the reason", (schema, reason) => {
    expect(() => read(schema)).toThrow("is a JSON Schema that cannot be used: ");
    expect(() => read(schema)).toThrow(reason);
  });

  it.each(["x", 3, null, []])("is refused as %j", (wrong) => {
    expect(() => read(wrong)).toThrow("must be a JSON Schema");
  });
});
