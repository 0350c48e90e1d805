import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Tool } from "../../../app/src/tools/tool.ts";
import { newOutbound } from "../outbound/new-outbound.ts";
import { startUpstream } from "../outbound/upstream.ts";
import { connect, startTestApp } from "../running-app.ts";
import { pageAge } from "./examples/page-age.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("docs/add-a-tool.md", () => {
  it("shows a tool that is checked like any other code", async () => {
    const page = await readFile(join(ROOT, "docs/add-a-tool.md"), "utf8");
    const example = await readFile(join(ROOT, "test/app/tools/examples/page-age.ts"), "utf8");
    const inPlace = example.replaceAll("../../../../app/src/tools/", "./").replaceAll("../../../../app/src/", "../");

    expect(page).toContain(`\`\`\`ts\n${inPlace}\`\`\`\n`);
  });

  it("shows a tool that clients can call", async () => {
    const upstream = await startUpstream((request, response) => {
      const changed = new Date(Date.now() - 3 * 86_400_000).toUTCString();
      response.writeHead(200, request.url === "/page" ? { "last-modified": changed } : {}).end();
    });
    const { outbound } = newOutbound({ OUTBOUND_ALLOW: upstream.origin, OUTBOUND_ALLOW_PRIVATE: "127.0.0.1" });
    // Whoever has followed the page has one already.
    const others = (tools: readonly Tool[]) => tools.filter(({ name }) => name !== "page_age");
    const app = await startTestApp({}, { tools: (tools) => [...others(tools), pageAge(outbound)] });
    const client = await connect(app.endpoint, "2026");
    const ask = (path: string) => client.callTool({ name: "page_age", arguments: { url: upstream.origin + path } });

    expect((await ask("/page")).structuredContent).toEqual({ changedAt: expect.any(String), days: 3 });
    expect((await ask("/other")).content).toEqual([
      { type: "text", text: `${upstream.origin}/other does not say when it was changed: ask for another page` },
    ]);
    await client.close();
    await app.close();
    outbound.close();
    await upstream.close();
  });

  it("has a start fail that finds two tools of one name, rather than every request after it", async () => {
    const twice = startTestApp({}, { tools: (tools) => [...tools, ...tools.slice(0, 1)] });

    await expect(twice).rejects.toThrow("there are two tools named 'get_weather_with_fallback'");
  });
});
