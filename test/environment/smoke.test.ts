import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { smoke } from "../../environment/schema/smoke.ts";

const read = (expect: unknown) => smoke.parse({ tool: "a", expect }).expect as z.ZodType;
const accepts = (schema: unknown, answer: unknown) => read(schema).safeParse(answer).success;

describe("what a smoke call expects", () => {
  it("is a JSON Schema of an object, whose keywords hold where it names no type", () => {
    const schema = { properties: { city: { const: "Berlin" }, wind: { properties: { speed: { minimum: 3 } } } } };

    expect(accepts(schema, { city: "Berlin", wind: { speed: 4 }, more: 1 })).toBe(true);
    expect(accepts(schema, { city: "Bonn" })).toBe(false);
    expect(accepts(schema, { city: "Berlin", wind: { speed: 2 } })).toBe(false);
    for (const none of [undefined, "Berlin", []]) expect(accepts(schema, none)).toBe(false);
    expect(accepts({ anyOf: [{ required: ["a"], properties: { a: { type: "string" } } }] }, { b: 1 })).toBe(false);
  });

  it("may require properties that it says nothing else about", () => {
    expect(accepts({ required: ["a"] }, { a: null })).toBe(true);
    expect(accepts({ required: ["a"] }, {})).toBe(false);
    expect(accepts({ properties: { b: { type: "number" } }, required: ["a"] }, { b: 1 })).toBe(false);
  });

  it("is a Zod schema or a text, and is the same when it is checked again", () => {
    const schema = z.object({ a: z.string() });

    expect(read(schema)).toBe(schema);
    expect(read(read({ required: ["a"] }))).toBeInstanceOf(z.ZodType);
    expect(read({ text: "sunny" })).toEqual({ text: "sunny" });
  });

  it("is refused where it cannot be used, with the reason", () => {
    expect(() => read({ type: "objekt" })).toThrow("Unsupported type: objekt");
    expect(() => read({ if: {}, then: {} })).toThrow("not supported");
    for (const wrong of ["x", 3, null, []]) expect(() => read(wrong)).toThrow("must be a JSON Schema");
  });
});
