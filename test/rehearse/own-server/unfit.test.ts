import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { rehearse } from "./a-rehearsal.ts";

// A machine that is busy with other things takes its time to start processes.
jest.setTimeout(240_000);

const FIXTURES = join(import.meta.dirname, "../../release/local/fixtures");
const plain = (does: string) => `DOES='${does}' ${process.execPath} plain-server.ts`;
const code = (text: string) => `${process.execPath} -e "${text}"`;

describe("a server that cannot be rehearsed", () => {
  it.each([
    [
      "is not there",
      "no-such-program",
      ["the server cannot be started: there is no program 'no-such-program' on the PATH"],
    ],
    [
      "does not start",
      code("console.error('no database'); process.exit(3)"),
      ["the server exited with code 3", "its last lines:", "  no database"],
    ],
    [
      "answers something else than MCP",
      plain("garbage"),
      [/the server on http:\/\/127\.0\.0\.1:\d+\/mcp does not answer as an MCP server/, "MCP 2025: ", "MCP 2026: "],
    ],
    ["is several commands", "true && true", ["put it into a script"]],
  ])("that %s is reported with what it said itself, and leaves nothing behind", async (_, server, messages) => {
    const { exitCode, output, left } = await rehearse(FIXTURES, ["--server", server]);

    expect(exitCode).toBe(2);
    for (const message of messages) expect(output).toMatch(message);
    expect(output).not.toContain("    at ");
    expect(left).toEqual([]);
  });

  it("that ignores its port is told how to name the variable that it reads", async () => {
    const environment = join(import.meta.dirname, "fixtures/impatient.ts");
    const { exitCode, output } = await rehearse(FIXTURES, [
      "--environment",
      environment,
      "--server",
      plain("ignores its port"),
    ]);

    expect(exitCode).toBe(2);
    expect(output).toMatch(/the server was not ready within 10 s \(TCP on port \d+\)/);
    expect(output).toContain("it gets its port in PORT; if it reads another variable, write it into the command");
    expect(output).toContain("  listening");
  });

  it("that ends by itself in a scenario fails that scenario, with its last line", async () => {
    const { exitCode, result, output } = await rehearse(FIXTURES, ["--server", plain("ends after some requests")]);

    expect(exitCode).toBe(1);
    expect(result?.problems).toContainEqual(expect.stringMatching(/exited with code 0; its last line: enough/));
    expect(output).toContain("Problems:");
  });

  it("that is the image's own program is refused with the way out", async () => {
    const { exitCode, output } = await rehearse(FIXTURES, ["--environment", "local"]);

    expect(exitCode).toBe(2);
    expect(output).toContain("environment 'local' has no server.command: its image names the program");
  });
});
