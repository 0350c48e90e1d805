import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { environment as checked, type EnvironmentInput } from "../../../environment/environment.ts";
import { metrics } from "../../../release/gates/metrics.ts";
import { smoke } from "../../../release/gates/smoke.ts";
import { TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import { serve, type Running, type StandIn } from "../local/fixtures/app.ts";
import environment from "../local/fixtures/environment.ts";
import { close, snapshotOf, Telling, verdict } from "./a-gate.ts";

describe("the gates that call the color as a client", () => {
  const running: Running[] = [];
  const right = new Telling();
  const wrong = new Telling();
  const failing = new Telling();

  beforeAll(async () => {
    async function start(target: Telling, standIn: Partial<StandIn>): Promise<void> {
      const app = await serve({ version: "2.0.0", ...standIn });
      running.push(app);
      target.port = app.mcpPort;
    }
    await start(right, {});
    await start(wrong, { echo: () => "bye" });
    await start(failing, {
      echo: () => {
        throw new Error("broken");
      },
    });
  });

  afterAll(async () => {
    await Promise.all(running.map((app) => app.close()));
  });

  it("'smoke' passes on the expected answer, asked for in both eras of the protocol", async () => {
    const evidence = "echo answered as expected, legacy and modern";
    expect(await verdict(smoke, right)).toMatchObject({ outcome: "pass", evidence });
  });

  const asking = (smoke: EnvironmentInput["release"]["smoke"], protocolVersions = ["2025-11-25"]) => {
    const { release, server } = environment;
    return {
      environment: checked({ ...environment, server: { ...server, protocolVersions }, release: { ...release, smoke } }),
    };
  };

  it("'smoke' takes a JSON Schema, and uses only the protocol versions that the server declares", async () => {
    const schema = { properties: { text: { const: "hello" } }, required: ["text"] };
    const given = asking({ tool: "echo", arguments: { text: "hello" }, expect: schema });

    expect(await verdict(smoke, right, given)).toMatchObject({
      outcome: "pass",
      evidence: "echo answered as expected, legacy",
    });
    expect(await verdict(smoke, wrong, given)).toMatchObject({ outcome: "fail" });
    expect((await verdict(metrics, right, given)).outcome).toBe("pass");
  });

  it("'smoke' takes a part of the text of an answer", async () => {
    const given = asking({ tool: "echo", arguments: { text: "hello" }, expect: { text: "hel" } }, ["2026-07-28"]);

    expect(await verdict(smoke, right, given)).toMatchObject({
      outcome: "pass",
      evidence: "echo answered as expected, modern",
    });
    expect(await verdict(smoke, wrong, given)).toMatchObject({
      outcome: "fail",
      evidence: expect.stringContaining('without "hel"') as unknown,
    });
  });

  it("'smoke' and 'metrics' list the tools where the environment names none", async () => {
    const given = asking(undefined, ["2025-06-18", "2026-07-28"]);

    expect(await verdict(smoke, failing, given)).toMatchObject({
      outcome: "pass",
      evidence: "the server lists its tools, legacy and modern",
    });
    expect((await verdict(metrics, failing, given)).outcome).toBe("pass");
    expect(await verdict(smoke, new Telling(), given)).toMatchObject({ outcome: "fail" });
  });

  it("'smoke' fails on a wrong answer, an error, a missing tool and a closed port, and says which", async () => {
    const absent = {
      ...environment,
      release: { ...environment.release, smoke: { tool: "x", arguments: {}, expect: z.unknown() } },
    };
    const closed = new Telling();

    const wrongAnswer = await verdict(smoke, wrong);
    expect(wrongAnswer).toMatchObject({ outcome: "fail" });
    expect(wrongAnswer.evidence).toContain('legacy: echo({"text":"hello"}) answered {"text":"bye"}');
    expect((await verdict(smoke, failing)).evidence).toContain("legacy: echo failed: [");
    expect(await verdict(smoke, right, { environment: absent })).toMatchObject({
      outcome: "fail",
      evidence: "legacy: there is no tool 'x'",
    });
    expect(await verdict(smoke, closed)).toMatchObject({ outcome: "fail" });
  });

  it("'metrics' passes under the limits", async () => {
    const { outcome, evidence } = await verdict(metrics, right);
    expect(outcome).toBe("pass");
    expect(evidence).toMatch(/^synthetic: \d+ calls, 0 failed \(.*\), 0 slow/);
  });

  it("'metrics' fails when answers are wrong or no session can be opened: each is a failed call", async () => {
    expect((await verdict(metrics, wrong)).evidence).toMatch(/^synthetic: (\d+) calls, \1 failed/);
    expect(await verdict(metrics, new Telling())).toMatchObject({ outcome: "fail" });
  });

  it.each([
    ["a missing right for port forwards", new TargetRefused("forbidden", "may not 'get' pods/portforward")],
    ["an outage", new TargetUnreachable("the API server does not answer")],
  ])("both are inconclusive, and do not fail the version, on %s", async (_, fault) => {
    for (const gate of [smoke, metrics]) {
      const broken = new Telling();
      broken.endpoint = () =>
        Promise.resolve({
          url: new URL("http://127.0.0.1:1/mcp"),
          fetch: () => Promise.reject(fault),
          pods: 1,
          close,
        });

      expect(await verdict(gate, broken)).toMatchObject({ outcome: "inconclusive", evidence: fault.message });
    }
  });

  it("both are inconclusive when calls broke off and the target no longer answers", async () => {
    for (const gate of [smoke, metrics]) {
      const broken = new Telling();
      broken.before = (call) => {
        if (call === "look") throw new TargetUnreachable("the API server does not answer");
      };
      const snapshot = snapshotOf([{}]);

      expect(await verdict(gate, broken, snapshot)).toMatchObject({ outcome: "inconclusive" });
    }
  });

  it("'metrics' fails when its calls do not rule out what nobody would tolerate", async () => {
    const release = { ...environment.release, metrics: { ...environment.release.metrics, calls: 4 } };
    expect(await verdict(metrics, right, { environment: { ...environment, release } })).toMatchObject({
      outcome: "fail",
      evidence: expect.stringContaining("these do not rule out 3 × the limit") as unknown,
    });
  });

  it("both give up at once when the release is interrupted in the middle of a call that hangs", async () => {
    for (const gate of [smoke, metrics]) {
      const interrupted = new AbortController();
      const app = await serve({
        version: "2.0.0",
        echo: () => {
          interrupted.abort(new Error("interrupted"));
          return new Promise<string>(() => undefined);
        },
      });
      running.push({ ...app, close: () => Promise.resolve() });
      const hanging = new Telling();
      hanging.port = app.mcpPort;

      await expect(verdict(gate, hanging, { signal: interrupted.signal })).rejects.toThrow("interrupted");
      void app.close();
    }
  });
});
