import { COMPILE_CACHE } from "../compile-cache.ts";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { RehearsalResult } from "../../rehearse/record/result.ts";

const CLI = join(import.meta.dirname, "../../cli/bin.ts");

/** Starts the command as npm does. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [CLI, "rehearse", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close").then(([exitCode]: unknown[]) => ({ exitCode, output }));
  return {
    ended,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    said: async (text: string) => {
      while (!output.includes(text)) await once(child.stdout, "data");
    },
  };
}

describe("npm run rehearse", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mcp-rehearsal-test-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("plays four acts without a failed call, each of which ends as it must, and writes what it measured", async () => {
    const json = join(folder, "out.json");
    const { exitCode, output } = await start(["--quick", "--json", json, "--no-page", "--report", folder]).ended;
    const result = JSON.parse(await readFile(json, "utf8")) as RehearsalResult;

    expect({ exitCode, problems: result.problems }).toEqual({ exitCode: 0, problems: [] });
    expect(output).toContain("Every scenario passed.");
    expect(result.acts.map(({ failures }) => failures)).toEqual([{}, {}, {}, {}]);
    expect(result.acts.map(({ release }) => release?.exitCode)).toEqual([0, 1, 3, undefined]);
    const [good, wrong, slow, outage] = result.acts;
    expect(good?.release?.gates.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(good?.switches).toMatchObject([{ kind: "promote", from: "blue", to: "green" }]);
    expect(wrong?.release?.gates).toContainEqual(
      expect.objectContaining({ gate: "smoke", phase: "verify", outcome: "fail" }),
    );
    expect(Object.keys(wrong?.byVersion ?? {})).toEqual(["1.1.0"]);
    expect(slow?.switches.map(({ kind, from, to }) => `${kind} ${from} → ${to}`)).toEqual([
      "promote green → blue",
      "rollback blue → green",
    ]);
    expect(outage?.bySource).toEqual({ live: expect.any(Number), cached: expect.any(Number) });
    for (const { lastOldAnswerMs } of result.acts.flatMap(({ switches }) => switches)) {
      expect(lastOldAnswerMs).toBeLessThanOrEqual(100);
    }
    expect(Object.keys(result.totals.byCaller).toSorted()).toEqual([
      "fresh legacy",
      "fresh modern",
      "kept legacy",
      "kept modern",
    ]);
    expect(await readFile(join(folder, "index.html"), "utf8")).toContain("A release, rehearsed");
  }, 180_000);

  it("ends all that it started on Ctrl-C, leaves nothing behind, and says so", async () => {
    // Everything it starts runs from a folder in here, so that this path names its processes.
    const temporary = await mkdtemp(join(folder, "tmp-"));
    const rehearsal = start(["--quick", "--no-page", "--report", folder], {
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
    });
    await rehearsal.said("verify 1.1.0");
    const before = await processesNaming(temporary);
    rehearsal.kill("SIGINT");
    const { exitCode, output } = await rehearsal.ended;

    expect(before.length).toBeGreaterThanOrEqual(4);
    expect(await processesNaming(temporary)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
    expect(exitCode).toBe(130);
    expect(output).toContain("interrupted by SIGINT; everything it started has ended");
  }, 60_000);

  it("says which port is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const { exitCode, output } = await start(["--quick", "--port", port]).ended;
    taken.close();

    expect(exitCode).toBe(2);
    expect(output).toBe(
      `port ${port} is in use; name another one with --port, or end the program that listens there\n`,
    );
  });

  it.each([
    [["--qick"], /unknown option '--qick' \(did you mean --quick\?\); see 'mcp-bluegreen rehearse --help'/],
    [["--port", "many"], /'many' is invalid. A port is a whole number/],
  ])("refuses %j in one message", async (args, message) => {
    const { exitCode, output } = await start(args).ended;

    expect(exitCode).toBe(2);
    expect(output).toMatch(message);
    expect(output.trim().split("\n")).toHaveLength(1);
  });

  it("tells how to use it", async () => {
    const { exitCode, output } = await start(["--help"]).ended;

    expect(exitCode).toBe(0);
    expect(output).toContain("--quick");
  });
});

async function processesNaming(path: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
  return stdout.split("\n").filter((line) => line.includes(path));
}
