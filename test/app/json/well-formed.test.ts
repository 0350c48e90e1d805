import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { stringify, wellFormed } from "../../../app/src/json/well-formed.ts";

describe("JSON that is sent to a client", () => {
  it.each([
    ["the first half of a pair", "a\ud83d", "a\ufffd"],
    ["the second half", "\ude00a", "\ufffda"],
    ["two halves in the wrong order", "\ude00\ud83d", "\ufffd\ufffd"],
    ["a half after a backslash", "\\\ud83d", "\\\ufffd"],
    ["a half after a text about a half", String.raw`\ud83d` + "\ud83d", String.raw`\ud83d` + "\ufffd"],
  ])("has U+FFFD in place of %s", (_what, text, sent) => {
    expect(JSON.parse(stringify({ [text]: [text] }))).toEqual({ [sent]: [sent] });
  });

  it("leaves whole pairs, escaped control characters and texts about escapes as they are", () => {
    const value = { "😀": ["😀\u0000\n", String.raw`\ud83d`, String.raw`\\ude00`, "\\ud", "\ud7ff\ue000"] };

    expect(stringify(value)).toBe(JSON.stringify(value));
  });

  it("is what well-formed texts would have given, whatever the texts are", () => {
    const unit = fc.constantFrom("\\", "u", "d83d", '"', "\ud83d", "\ude00", "é", "\n");
    const text = fc.array(unit, { maxLength: 12 }).map((units) => units.join(""));
    fc.assert(
      fc.property(text, (one) => {
        expect(stringify([one])).toBe(JSON.stringify([one.toWellFormed()]));
      }),
    );
  });

  it("is made well-formed inside an event stream, too", () => {
    const event = (text: string) => `event: message\ndata: ${JSON.stringify({ text })}\n\n`;

    expect(Buffer.from(wellFormed(Buffer.from(event("é\ud83d😀")))).toString()).toBe(event("é\ufffd😀"));
  });
});
