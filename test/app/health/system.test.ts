import { open, type FileHandle } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { SystemResources, troubles } from "../../../app/src/health/system.ts";

const WELL = {
  eventLoop: { utilization: 0.5, lagP99Ms: 1 },
  memory: { heapUsedBytes: 50, heapLimitBytes: 100, rssBytes: 100, limitBytes: 200 },
  openFiles: { count: 20, limit: 100 },
  load: 99,
};

describe("what a process has of the machine", () => {
  it("is told in numbers", () => {
    expect(new SystemResources().health()).toEqual({
      status: "healthy",
      reasons: [],
      eventLoop: { utilization: expect.any(Number), lagP99Ms: expect.any(Number) },
      memory: expect.objectContaining({
        heapUsedBytes: expect.any(Number),
        heapLimitBytes: expect.any(Number),
        rssBytes: expect.any(Number),
      }),
      openFiles: { count: expect.any(Number), limit: expect.any(Number) },
      load: expect.any(Number),
    });
  });

  it("counts open files", async () => {
    const files: FileHandle[] = [];
    const before = new SystemResources().health();
    for (let count = 0; count < 50; count += 1) files.push(await open("/dev/null"));
    const after = new SystemResources().health();

    expect((after.openFiles?.count ?? 0) - (before.openFiles?.count ?? 0)).toBeGreaterThan(40);
    for (const file of files) await file.close();
  });

  it("is looked at once a second at most", () => {
    const resources = new SystemResources();

    expect(resources.health()).toBe(resources.health());
  });

  it.each([
    ["nothing when all is well", WELL, []],
    [
      "a busy event loop",
      { ...WELL, eventLoop: { utilization: 0.97, lagP99Ms: 1 } },
      ["the event loop was busy 97 % of the time"],
    ],
    ["a full heap", { ...WELL, memory: { ...WELL.memory, heapUsedBytes: 95 } }, ["95 % of the heap is in use"]],
    [
      "a container that is full",
      { ...WELL, memory: { ...WELL.memory, rssBytes: 190 } },
      ["95 % of the container's memory is in use"],
    ],
    [
      "no container where there is none",
      { ...WELL, memory: { heapUsedBytes: 1, heapLimitBytes: 100, rssBytes: 1e12 } },
      [],
    ],
    [
      "too many open files",
      { ...WELL, openFiles: { count: 90, limit: 100 } },
      ["90 of the 100 files that may be open are"],
    ],
  ])("is in trouble for %s", (_what, measured, reasons) => {
    expect(troubles(measured, true)).toEqual(reasons);
  });

  it("is not judged by how busy it is while it starts", () => {
    expect(troubles({ ...WELL, eventLoop: { utilization: 1, lagP99Ms: 500 } }, false)).toEqual([]);
  });
});
