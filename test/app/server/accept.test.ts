import { describe, expect, it } from "@jest/globals";
import { normalizeAccept } from "../../../app/src/server/accept.ts";

const JSON_TYPE = "application/json";
const STREAM_TYPE = "text/event-stream";
const BOTH = `${JSON_TYPE}, ${STREAM_TYPE}`;

describe("an Accept header", () => {
  it.each([
    [undefined, BOTH],
    ["", BOTH],
    ["*/*", BOTH],
    ["application/*, text/*", BOTH],
    ["Application/JSON, Text/Event-Stream", BOTH],
    ["text/event-stream, */*;q=0.1", BOTH],
    ["text/event-stream;q=0.5,application/json;q=0.9", BOTH],
    ["application/json;charset=utf-8 , text/event-stream ; q = 1", BOTH],
    ["text/html, application/xhtml+xml, */*;q=0.8", BOTH],
    ["application/json", JSON_TYPE],
    ["text/event-stream", STREAM_TYPE],
    ["*/*, text/event-stream;q=0", JSON_TYPE],
    ["*/*, text/*;q=0.0", JSON_TYPE],
    ["application/*;q=0, application/json, text/event-stream", BOTH],
    ["text/html", "text/html"],
    ["*/*;q=0", "*/*;q=0"],
    ['text/event-stream;x="a,b";q=0, application/json', JSON_TYPE],
    ['application/json;x="text/event-stream,*/*"', JSON_TYPE],
    ['application/json;x="\\",text/event-stream', JSON_TYPE],
    ['application/json;x=";q=0", text/event-stream', BOTH],
    ["application/jsonp, text/event-streams", "application/jsonp, text/event-streams"],
  ])("of %j admits %j", (header, expected) => {
    expect(normalizeAccept(header)).toBe(expected);
  });

  it("is read in little time, however its quotes nest", () => {
    const start = performance.now();
    for (const part of ['\\"', '"', ',"', ';"\\']) normalizeAccept(`text/html;x="${part.repeat(16_000 / part.length)}`);

    expect(performance.now() - start).toBeLessThan(200);
  });
});
