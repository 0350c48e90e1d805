import { describe, expect, it } from "@jest/globals";
import { healthOf, versionOf } from "../../release/targets/pages.ts";

const page = { port: "mcp", path: "/status" } as const;
const health = async (body: string, status = 200) => await healthOf(page).read(new Response(body, { status }), "pod");
const version = async (body: string, status = 200) => await versionOf(page).read(new Response(body, { status }), "pod");

describe("the health page of a pod", () => {
  it("of the bundled app says in its report how the pod is", async () => {
    const report = (status: string) => JSON.stringify({ status, version: "1", color: "blue", uptimeSeconds: 3 });

    expect(await health(report("degraded"))).toEqual({ pod: "pod", status: "degraded" });
    expect(await health(report("critical"), 503)).toEqual({ pod: "pod", status: "critical" });
  });

  it("of any other server says it by the HTTP status", async () => {
    expect(await health('{"status":"UP"}')).toEqual({ pod: "pod", status: "healthy" });
    expect(await health("", 200)).toEqual({ pod: "pod", status: "healthy" });
    expect(await health("starting", 503)).toEqual({ pod: "pod", status: "critical", why: "HTTP 503" });
  });
});

describe("the version page of a pod", () => {
  it("is JSON with a version, and a color where it names one", async () => {
    expect(await version('{"version":"1.2.0"}')).toEqual({ pod: "pod", version: "1.2.0" });
    expect(await version('{"version":"1.2.0","color":"blue","status":"critical"}', 503)).toEqual({
      pod: "pod",
      version: "1.2.0",
      color: "blue",
    });
  });

  it("or a text that is nothing but the version", async () => {
    expect(await version("1.2.0\n")).toEqual({ pod: "pod", version: "1.2.0" });
    for (const text of ["", "<html> not here", "a b"]) await expect(version(text)).rejects.toThrow("no version");
    await expect(version("1.2.0", 500)).rejects.toThrow("HTTP 500");
  });
});
