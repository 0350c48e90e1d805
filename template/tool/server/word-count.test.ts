import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ToolContext } from "mcp-bluegreen/app";
import { wordCount } from "./word-count.ts";

/** The tool uses nothing of its context. */
const context = {} as ToolContext;

describe("word_count", () => {
  it("counts words between spaces of any kind", async () => {
    const { structuredContent } = await wordCount.handle({ text: " one two\n\tthree " }, context);

    assert.deepEqual(structuredContent, { words: 3 });
  });

  it("finds no word in an empty text", async () => {
    const { structuredContent } = await wordCount.handle({ text: "" }, context);

    assert.deepEqual(structuredContent, { words: 0 });
  });

  it("refuses an argument that it does not have, by its name", async () => {
    const result = await wordCount.inputSchema["~standard"].validate({ text: "a", txet: "b" });

    assert.match(JSON.stringify(result.issues), /there is no argument 'txet'/);
  });
});
