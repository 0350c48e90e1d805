import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { readAddress } from "../../../release/targets/local/address.ts";
import { ENVIRONMENT_FILE, image } from "../local/a-host.ts";
import { call } from "../local/calls.ts";
import { startCommand } from "./a-command.ts";

const homes: string[] = [];

afterAll(async () => {
  for (const home of homes) await rm(home, { recursive: true });
});

describe("the local host", () => {
  async function main(...args: string[]) {
    const home = await mkdtemp(join(tmpdir(), "bluegreen-main-"));
    homes.push(home);
    const started = startCommand(home, ["local", "-e", ENVIRONMENT_FILE, "--home", home, "-o", "json", ...args]);
    return { ...started, home };
  }

  it("says that its port is in use, and what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { finished } = await main("--image", image("version-1"), "--port", String(port));
    const { code, stderr, stdout } = await finished;
    server.close();

    expect(stderr).toBe(
      `port ${port} is in use; name another one with --port, or end the program that listens there\n`,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("says that the build is missing, that an option is misspelt, or that a port is none", async () => {
    for (const [args, said] of [
      [["--image", "nowhere.js", "--port", "0"], "run 'mcp-bluegreen build' first"],
      [["--imgae", "x"], "unknown option '--imgae' (did you mean --image?); see 'mcp-bluegreen local --help'"],
      [
        ["--port", "70000"],
        "'70000' is invalid. A port is a whole number from 0 to 65535; see 'mcp-bluegreen local --help'",
      ],
    ] as const) {
      const { code, stderr } = await (await main(...args)).finished;

      expect(code).toBe(2);
      expect(stderr).toContain(said);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  }, 20_000);

  it("says that the server does not start, and why", async () => {
    const { finished, home } = await main("--image", image("dies-at-start"), "--port", "0");
    const { code, stderr, stdout } = await finished;

    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      `the server at '${image("dies-at-start")}' does not start: exited with code 1\nAll of its log is in ${home}/app.log\n`,
    );
  }, 20_000);

  it("is ready when it says so", async () => {
    const { child, finished } = await main("--image", image("version-1"), "--port", "0");
    const [line] = (await once(child.stdout ?? child, "data")) as [string];

    expect((await call((JSON.parse(line) as { url: string }).url)).color).toBe("blue");
    child.kill("SIGTERM");
    expect((await finished).code).toBe(0);
  }, 20_000);

  it("ends with its processes on SIGTERM, and leaves none behind when it is killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const { child, finished, home } = await main("--image", image("version-1"), "--port", "0");
      await once(child.stdout ?? child, "data");
      const pods = await podsOf(home);
      expect(pods.length).toBeGreaterThan(0);
      child.kill(signal);

      expect((await finished).code).toBe(signal === "SIGTERM" ? 0 : "SIGKILL");
      await Promise.all(pods.map(gone));
    }
  }, 20_000);
});

async function podsOf(home: string): Promise<number[]> {
  const { control, token } = await readAddress(home);
  const body = JSON.stringify({ do: "pods", color: "blue" });
  const response = await fetch(control, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
  const { pods } = (await response.json()) as { pods: { pid: number }[] };
  return pods.map(({ pid }) => pid);
}

/** Resolves when a process is gone; nothing tells about one that is not our child. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
