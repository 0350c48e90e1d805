import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { chromium, type Browser, type Page as Tab } from "playwright-core";
import { htmlReport } from "../../rehearse/page/report.ts";
import { servePage, type Page } from "../../rehearse/page/server.ts";
import { Recording } from "../../rehearse/record/recording.ts";
import { Tally } from "../../rehearse/record/tally.ts";
import { findChromium } from "./chromium.ts";
import { playAnAct } from "./an-act.ts";

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

  const open = async (options: { colorScheme?: "light" | "dark" } = {}): Promise<void> => {
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
    expect(await text("#scene .color.blue")).toContain("kept ready");
    expect(await text("#calls")).toBe("400");
    expect(await tab.locator("canvas").count()).toBe(2);
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

  it("works from the report, which needs no server, and goes back in time", async () => {
    await open();
    playAnAct(recording);
    const folder = await mkdtemp(join(tmpdir(), "mcp-report-"));
    const file = join(folder, "index.html");
    const totals = new Tally().calls();
    const machine = { node: "v24", platform: "linux x64", cpu: "one", cores: 2, memoryGiB: 8 };
    const result = { ok: true, problems: [], quick: true, startedAt: "now", seconds: 3, machine, totals, acts: [] };
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

/** The contrast of an element's text against the first background behind it, as WCAG 2.2 defines it. */
function contrast(tab: Tab, selector: string): Promise<number> {
  return tab.evaluate<number>(`(() => {
    const luminance = (css) => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
        .map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const element = document.querySelector(${JSON.stringify(selector)});
    let behind = element;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    const [dark, light] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
      .map(luminance)
      .toSorted((one, two) => one - two);
    return (light + 0.05) / (dark + 0.05);
  })()`);
}
