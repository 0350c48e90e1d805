import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { eachLine, LONGEST_LINE } from "../../../release/targets/local/host/each-line.ts";
import { LogFile } from "../../../release/targets/local/host/log-file.ts";

describe("the log of a host", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "log-file-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is two files of bounded size, however much is written, and ends with the last line", async () => {
    const file = join(folder, "app.log");
    const log = new LogFile(file, { maxBytes: 10_000, maxWaiting: 1e9 });
    for (let line = 0; line < 1000; line++) log.write(`line ${line} ${"x".repeat(100)}`);
    await log.close();

    expect(await readdir(folder)).toEqual(["app.log", "app.log.1"]);
    expect((await stat(file)).size).toBeLessThan(10_200);
    expect((await stat(`${file}.1`)).size).toBeLessThan(10_200);
    expect((await readFile(file, "utf8")).trimEnd().split("\n").at(-1)).toContain("line 999 ");
  });

  it("leaves lines out that come faster than the disk takes them, and says how many", async () => {
    const file = join(folder, "app.log");
    const log = new LogFile(file, { maxWaiting: 500 });
    for (let line = 0; line < 100; line++) log.write("x".repeat(99));
    await new Promise((resolve) => setTimeout(resolve, 200));
    log.write("the last one");
    await log.close();
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");

    expect(lines.length).toBeLessThan(20);
    expect(lines.at(-2)).toMatch(/^\(\d\d lines were left out/);
    expect(lines.at(-1)).toBe("the last one");
  });
});

describe("lines of a program", () => {
  it("come one by one, whatever pieces they are written in, and are cut if they are too long", async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    eachLine(stream, (line) => lines.push(line));
    const text = Buffer.from(`größer\r\n${"y".repeat(3 * LONGEST_LINE)}\nend`);
    for (let at = 0; at < text.length; at += 3) stream.write(text.subarray(at, at + 3));
    await new Promise<void>((resolve) => stream.end(resolve));
    await new Promise((resolve) => setImmediate(resolve));

    expect(lines).toEqual(["größer", "y".repeat(LONGEST_LINE), "end"]);
  });
});
