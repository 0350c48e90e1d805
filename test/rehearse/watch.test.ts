import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { chromium, type Browser } from "playwright-core";
import { image, startHost, type AHost } from "../release/local/a-host.ts";
import { Caller } from "../release/local/calls.ts";
import { run, startAsIs } from "../release/cli/a-command.ts";
import { ENVIRONMENT_FILE } from "../release/local/a-host.ts";
import { findChromium } from "./chromium.ts";

const executablePath = await findChromium();
if (executablePath === undefined) {
  process.stderr.write("'release watch' is not tested: no Chromium on PATH (apt-get install chromium).\n");
}
const inChromium = executablePath === undefined ? describe.skip : describe;

jest.setTimeout(60_000);

inChromium("release watch, in Chromium", () => {
  let browser: Browser;
  let host: AHost;
  let caller: Caller;

  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }) });
    host = await startHost();
    caller = new Caller(host.host.url);
  });

  afterAll(async () => {
    await browser.close();
    await caller[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  it("shows a release of another process with its phases, both colors and the live calls, and ends by Ctrl-C", async () => {
    const watch = startAsIs(host.home, ["watch", "--environment", ENVIRONMENT_FILE]);
    const url = await new Promise<string>((resolve) => {
      watch.child.stdout?.once("data", (text: string) => {
        resolve(text.split(" ")[0] ?? "");
      });
    });
    const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const problems: string[] = [];
    tab.on("pageerror", (error) => problems.push(error.message));
    await tab.goto(url);
    await run(host.home, "run", "--image", image("version-2"), "--version", "2.0.0");
    await tab.getByText("2.0.0 is live on green").first().waitFor();

    expect(await tab.title()).toBe("Releases of test");
    expect(await tab.locator("#scene .color.green").first().textContent()).toMatch(/LIVE.*2\.0\.0.*1 of 1 pods ready/);
    await tab.waitForFunction('Number(document.querySelector("#calls").textContent) > 0');
    expect(problems).toEqual([]);
    if (process.env.SCREENSHOT !== undefined) await tab.screenshot({ path: process.env.SCREENSHOT });
    watch.child.kill("SIGINT");
    expect((await watch.finished).code).toBe(0);
  });
});
