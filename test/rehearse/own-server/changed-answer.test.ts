import { describe, expect, it } from "@jest/globals";
import { changedAnswer, idsOf, METHODS } from "../../../rehearse/server/changed-answer.ts";

const list = { jsonrpc: "2.0", id: 7, result: { tools: [{ name: "a" }], nextCursor: "x" } };
const call = {
  jsonrpc: "2.0",
  id: "c",
  result: {
    content: [
      { type: "text", text: "20 °C" },
      { type: "image", data: "AA==" },
    ],
    structuredContent: { celsius: 20, city: "Berlin", rain: false, days: [1] },
  },
};

describe("a wrong version's answer", () => {
  it("has no tools, or other values in the same shape", () => {
    const lists = changedAnswer(JSON.stringify(list), "application/json", [7]);
    const calls = changedAnswer(JSON.stringify(call), "application/json; charset=utf-8", ["c"]);

    expect(JSON.parse(lists)).toEqual({ ...list, result: { tools: [], nextCursor: "x" } });
    expect(JSON.parse(calls)).toMatchObject({
      id: "c",
      result: {
        content: [
          { type: "text", text: "an answer that the rehearsal has changed" },
          { type: "image", data: "AA==" },
        ],
        structuredContent: { celsius: 68, city: "changed: Berlin", rain: true, days: [33.8] },
      },
    });
  });

  it("is changed in a stream of events, too, between events that are not", () => {
    const other = { jsonrpc: "2.0", method: "notifications/progress", params: { progress: 1 } };
    const stream = `event: message\ndata: ${JSON.stringify(other)}\n\nid: 1\ndata: ${JSON.stringify(list)}\n\n`;

    expect(changedAnswer(stream, "text/event-stream", [7])).toBe(
      stream.replace(JSON.stringify(list), JSON.stringify({ ...list, result: { tools: [], nextCursor: "x" } })),
    );
  });

  it("is left as it is if it is an error, of another call, or no JSON", () => {
    const error = JSON.stringify({ jsonrpc: "2.0", id: 7, error: { code: 1, message: "no" } });
    for (const text of [error, JSON.stringify({ ...list, id: 8 }), "<html>"]) {
      expect(changedAnswer(text, "application/json", [7])).toBe(text);
    }
  });

  it("belongs to the calls of a request, or of a batch of them", () => {
    const batch = [{ id: 1, method: "tools/list" }, { method: "notifications/initialized" }, { id: 2, method: "ping" }];

    expect(idsOf(JSON.stringify(batch), METHODS)).toEqual([1]);
    expect(idsOf(JSON.stringify(batch[0]), ["tools/call"])).toEqual([]);
    expect(idsOf("<html>", METHODS)).toEqual([]);
  });
});
