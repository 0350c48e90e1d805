import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { chromium, type Browser, type BrowserContextOptions, type Page as Tab } from "playwright-core";
import { htmlReport } from "../../rehearse/page/report.ts";
import { servePage, type Page } from "../../rehearse/page/server.ts";
import { Recording } from "../../rehearse/record/recording.ts";
import { Tally } from "../../rehearse/record/tally.ts";
import { findChromium } from "./chromium.ts";
import { box, colorOf, contrast, overlaps, smallestText } from "./on-screen.ts";
import { playAnAct, rollBack } from "./an-act.ts";

const executablePath = await findChromium();
if (executablePath === undefined) {
  process.stderr.write(
    "The page is not tested: no Chromium in $CHROMIUM_PATH or on PATH (apt-get install chromium).\n",
  );
}
const inChromium = executablePath === undefined ? describe.skip : describe;

inChromium("the page, in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let recording: Recording;
  let tab: Tab;
  const troubles: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }) });
  }, 60_000);
  afterAll(() => browser.close());
  afterEach(async () => {
    await tab.close();
    await page.close();
  });

  const open = async (
    options: Partial<Pick<BrowserContextOptions, "colorScheme" | "viewport">> = {},
  ): Promise<void> => {
    recording = new Recording();
    page = await servePage(recording, 0);
    troubles.length = 0;
    tab = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    tab.on("pageerror", (error) => troubles.push(error.message));
    tab.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
  };
  const text = (selector: string) => tab.locator(selector).first().textContent();

  it("draws a release as it happens: acts, phases, gates with their evidence, both colors, charts and the log", async () => {
    await open();
    await tab.goto(page.url);
    playAnAct(recording);
    await tab.getByText("traffic blue → green in 2.0 ms").waitFor();

    expect(await text("#acts li:first-child")).toContain("playing");
    expect(await text("#phases [aria-current=step]")).toBe("bake");
    expect(await text("#gates-verify li[data-outcome=pass]")).toContain("2 pods ready");
    expect(await text("#gates-verify li[data-outcome=fail]")).toContain("expected 17.6");
    expect(await text("#scene .color.green")).toMatch(/LIVE · baking.*1\.1\.0.*200\/s.*2 of 2 pods ready/);
    expect(await text("#scene .color.blue")).toContain("standby");
    expect(await text("#calls")).toBe("400");
    expect(await tab.locator("canvas").count()).toBe(4);
    expect(await text("#p95-green")).toBe("12 ms");
    expect(troubles).toEqual([]);
  });

  it("tells all that has happened to who comes late", async () => {
    await open();
    playAnAct(recording);
    await tab.goto(page.url);

    await tab.getByText("traffic blue → green in 2.0 ms").waitFor();
    expect(await tab.locator("#log li").count()).toBeGreaterThan(5);
  });

  it.each(["light", "dark"] as const)(
    "can be read without color, by keyboard and by screen readers, %s",
    async (colorScheme) => {
      await open({ colorScheme });
      playAnAct(recording);
      await tab.goto(page.url);
      await tab.getByText("traffic blue → green in 2.0 ms").waitFor();

      // Outcomes are words to a screen reader and glyphs to the eye.
      expect(await text("#gates-verify li[data-outcome=fail] .gate-glyph")).toBe("✕");
      expect(await tab.locator("#gates-verify li[data-outcome=fail]").ariaSnapshot()).toContain("fail");
      await tab.getByRole("log").focus();
      expect(await tab.getByRole("img", { name: "Where the traffic flows" }).ariaSnapshot()).toContain("green is live");
      // WCAG AA for text of this size.
      for (const selector of ["#act-story", ".gate-evidence", "#log time", "#failures", "h3"]) {
        expect({ selector, contrast: await contrast(tab, selector) }).toEqual({
          selector,
          contrast: expect.any(Number),
        });
        expect(await contrast(tab, selector)).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it("fits on a screen of 1280 × 800 without scrolling", async () => {
    await open();
    playAnAct(recording);
    await tab.goto(page.url);
    await tab.getByText("traffic blue → green in 2.0 ms").waitFor();

    const overflow = await tab.evaluate(
      "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]",
    );
    expect(overflow).toEqual([1280, 800]);
  });

  it("draws the switch, the evidence against the limit, and a rollback as a branch with the failing check in red", async () => {
    await open();
    await tab.goto(page.url);
    const at = playAnAct(recording);
    await tab.getByText("promote in 2.0 ms").waitFor();
    const angle = () => tab.locator("#scene .lever").getAttribute("style");
    const toGreen = await angle();

    expect(await text("#scene .hub-to")).toBe("→ green");
    expect(await text("#slow-verdict")).toBe("✓ below the limit");
    expect(await text("#slow-numbers")).toBe("live: 3 of 400 calls, true share 0.1 to 3 %");
    expect(await text("#failed-numbers")).toBe("live: 0 of 400 calls, true share 0 to 2 %");

    rollBack(recording, at);
    await tab.getByText("rollback in 3.0 ms").waitFor();
    expect(await angle()).not.toBe(toGreen);
    expect(await text("#scene .hub-to")).toBe("→ blue");
    expect(await text("#slow-verdict")).toBe("✕ above the limit");
    expect(await tab.locator("#phases").ariaSnapshot()).toMatch(
      /bake , left here[^]*rollback , done[^]*retire , to come/,
    );
    const bad = await colorOf(tab, "#slow-verdict");
    expect(await colorOf(tab, "#gates-bake li[data-outcome=fail] .gate-evidence")).toBe(bad);
    expect(await colorOf(tab, "#phases li[data-state=stopped] .step")).toBe(bad);
    expect(await tab.locator("#gates-bake .gate-checks i[data-outcome=fail]").count()).toBe(1);
    // The branch is below the line, and before the phase that it leaves.
    const [branch, bake] = [await box(tab, "#phases .branch .step"), await box(tab, "#phases li[data-state=stopped]")];
    expect(branch.y).toBeGreaterThan(bake.y + bake.height);
    expect(branch.x + branch.width).toBeLessThan(bake.x);
    expect(troubles).toEqual([]);
  });

  it.each([
    [390, "light"],
    [390, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)(
    "is legible at %d px, %s: nothing overlaps, overflows or scrolls sideways",
    async (width, colorScheme) => {
      await open({ colorScheme, viewport: { width, height: 800 } });
      await tab.goto(page.url);
      rollBack(recording, playAnAct(recording));
      await tab.getByText("rollback in 3.0 ms").waitFor();
      if (process.env.SCREENSHOTS !== undefined) {
        await tab.screenshot({
          path: join(process.env.SCREENSHOTS, `page-${width}-${colorScheme}.png`),
          fullPage: true,
        });
      }

      expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(width);
      expect(await overlaps(tab)).toEqual([]);
      expect(await smallestText(tab)).toBeGreaterThanOrEqual(11);
      for (const selector of ["#slow-verdict", ".chart-numbers", "li[data-outcome=fail] .gate-evidence"]) {
        expect(await contrast(tab, selector)).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it("works from the report, which needs no server, and goes back in time", async () => {
    await open();
    playAnAct(recording);
    const folder = await mkdtemp(join(tmpdir(), "mcp-report-"));
    const file = join(folder, "index.html");
    const totals = new Tally().calls();
    const machine = { node: "v24", platform: "linux x64", cpu: "one", cores: 2, memoryGiB: 8 };
    const result = {
      ok: true,
      problems: [],
      quick: true,
      startedAt: "now",
      seconds: 3,
      machine,
      totals,
      acts: [],
      skipped: [],
    };
    await writeFile(file, await htmlReport(result, recording.moments));
    await tab.goto(pathToFileURL(file).href);

    expect(await text("#scene .color.green")).toContain("LIVE");
    await tab.getByRole("slider").fill("1000");
    expect(await text("#scene .color.green")).not.toContain("LIVE");
    expect(troubles).toEqual([]);
    await rm(folder, { recursive: true });
  });
});

describe("the page's server", () => {
  it("answers this machine alone, allows nothing from elsewhere, and knows no other paths", async () => {
    const page = await servePage(new Recording(), 0);
    const good = await fetch(page.url);
    const policy = good.headers.get("content-security-policy");
    const missing = await fetch(new URL("/package.json", page.url));
    const posted = await fetch(page.url, { method: "POST" });
    const foreign = await statusFor(page.url, "evil.example");
    await page.close();

    expect(good.status).toBe(200);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect([missing.status, posted.status, foreign]).toEqual([404, 405, 403]);
  });

  it("says when its port is in use", async () => {
    const page = await servePage(new Recording(), 0);
    const taken = Number(new URL(page.url).port);

    await expect(servePage(new Recording(), taken)).rejects.toMatchObject({ code: "EADDRINUSE", port: taken });
    await page.close();
  });
});

/** `fetch` does not let anyone name another host. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once("error", reject)
      .end();
  });
}
