import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { rehearse, type Rehearsed } from "./a-rehearsal.ts";

// Three releases, on a machine that may be busy.
jest.setTimeout(400_000);

const FIXTURES = join(import.meta.dirname, "../../release/local/fixtures");
const FASTMCP = join(import.meta.dirname, "../../../examples/fastmcp");

/** A Python that has the package. */
const python = ["python3", "python", join(FASTMCP, ".venv/bin/python")].find((candidate) => {
  try {
    execFileSync(candidate, ["-c", "import fastmcp"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
if (python === undefined) {
  process.stderr.write(
    "a Python server is not rehearsed: no python3 with fastmcp (pip install -r examples/fastmcp/requirements.txt)\n",
  );
}
const withPython = python === undefined ? it.skip : it;

function expectWhole({ exitCode, result, left }: Rehearsed): void {
  expect({ exitCode, problems: result?.problems }).toEqual({ exitCode: 0, problems: [] });
  expect(result?.acts.map(({ outcome }) => outcome)).toEqual(["promoted", "aborted by a gate", "rolled back in bake"]);
  expect(result?.acts.map(({ failures }) => failures)).toEqual([{}, {}, {}]);
  expect(result?.skipped).toMatchObject([{ number: 4, title: "An outage" }]);
  const [good, wrong, slow] = result?.acts ?? [];
  expect(Object.keys(good?.byColor ?? {})).toEqual(["blue", "green"]);
  expect(Object.keys(wrong?.byVersion ?? {})).toEqual(["1.1.0"]);
  expect(slow?.switches.map(({ kind }) => kind)).toEqual(["promote", "rollback"]);
  expect(left).toEqual([]);
}

describe("a rehearsal of somebody's own server", () => {
  it("promotes it, and aborts and rolls back its wrong and slow versions, without a failed call", async () => {
    const rehearsed = await rehearse(FIXTURES, ["--server", `${process.execPath} plain-server.ts`]);

    expectWhole(rehearsed);
    expect(rehearsed.output).toContain("it speaks MCP 2025-11-25 and takes");
    expect(rehearsed.output).toContain("synthetic calls alone are judged");
    expect(rehearsed.output).toContain(
      "scenario 4 (An outage) does not apply: it breaks the weather API that the bundled app depends on",
    );
  });

  withPython("does so with a Python server that an environment describes, by its smoke call", async () => {
    const path = python?.includes("/") === true ? `${join(python, "..")}:${process.env.PATH ?? ""}` : undefined;
    const rehearsed = await rehearse(FASTMCP, ["--environment", "./environment.ts"], {
      ...(path !== undefined && { PATH: path }),
    });

    expectWhole(rehearsed);
    expect(rehearsed.output).toContain("clients call to_feet, the smoke call");
  });

  withPython("says what a switch does to sessions in memory, and loses no call to it", async () => {
    const command = `FASTMCP_PORT={port} ${python ?? ""} server.py`;
    const { exitCode, result, output } = await rehearse(FASTMCP, ["--server", command]);

    expect({ exitCode, problems: result?.problems }).toEqual({ exitCode: 0, problems: [] });
    expect(output).toContain("it keeps sessions in memory (Mcp-Session-Id)");
    expect(result?.acts[0]?.sessionsEnded).toBeGreaterThan(0);
    expect(output).toMatch(/\d+ sessions ended with a switch; their clients began another one/);
  });
});
