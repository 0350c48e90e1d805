import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { environment as checked, type EnvironmentInput } from "../../../environment/environment.ts";
import { ask } from "../../../release/gates/ask.ts";
import { capacity } from "../../../release/gates/capacity.ts";
import type { Check, Gate, GateContext } from "../../../release/gates/gate.ts";
import { health } from "../../../release/gates/health.ts";
import { GATES } from "../../../release/gates/index.ts";
import { metrics } from "../../../release/gates/metrics.ts";
import { rollout } from "../../../release/gates/rollout.ts";
import { smoke } from "../../../release/gates/smoke.ts";
import { version } from "../../../release/gates/version.ts";
import { TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import type { Pod } from "../../../release/ports/capacity.ts";
import type { Endpoint, PodHealth, PodVersion } from "../../../release/ports/probe.ts";
import { observe, type Snapshot } from "../../../release/snapshot.ts";
import { ManualClock } from "../manual-clock.ts";
import { instantClock } from "../instant-clock.ts";
import { serve, type Running, type StandIn } from "../local/fixtures/app.ts";
import environment from "../local/fixtures/environment.ts";
import { MemoryTarget } from "../memory-target.ts";

/** A target whose pods report what the test sets. */
class Telling extends MemoryTarget {
  reports: readonly (PodHealth & PodVersion)[] = [];
  unread: readonly string[] = [];
  port = 1;
  fault: Error | undefined;

  override async health() {
    this.#reach();
    return await Promise.resolve({ pods: this.reports, unread: this.unread });
  }

  override async versions() {
    return await this.health();
  }

  override async endpoint(): Promise<Endpoint> {
    this.#reach();
    return await Promise.resolve({ url: new URL(`http://127.0.0.1:${this.port}/mcp`), fetch, pods: 1, close });
  }

  #reach() {
    if (this.fault !== undefined) throw this.fault;
  }
}

const never = new AbortController().signal;
const close = () => Promise.resolve();

async function verdict(gate: Gate, target: Telling, given: Partial<GateContext> = {}, check: Check = gate) {
  const snapshot = given.snapshot ?? (await observe(target));
  const context = {
    target,
    environment,
    snapshot,
    color: "green",
    version: "2.0.0",
    needed: 2,
    signal: never,
    clock: instantClock(),
    listener: () => undefined,
    ...given,
  } as const;
  return await ask(gate, "verify", context, check);
}

function snapshotOf(green: readonly Partial<Pod>[], blue: readonly Partial<Pod>[] = [{}], desired = green.length) {
  const pods = (given: readonly Partial<Pod>[]) =>
    given.map((pod, index) => ({ name: `pod-${index}`, ready: true, restarts: 0, current: true, ...pod }));
  const snapshot: Snapshot = {
    live: "blue",
    colors: {
      blue: { image: "one", minimum: 1, desired: blue.length, pods: pods(blue) },
      green: { image: "two", minimum: 1, desired, pods: pods(green) },
    },
  };
  return { snapshot };
}

const says = (status: PodHealth["status"], given: Partial<PodVersion> = {}): PodHealth & PodVersion => ({
  pod: `pod-${status}`,
  status,
  version: "2.0.0",
  color: "green",
  ...given,
});

describe("every gate", () => {
  it.each([
    ["does not answer", new TargetUnreachable("the cluster does not answer")],
    ["lacks a right", new TargetRefused("forbidden", "may not 'get' pods/portforward")],
  ])("is inconclusive, and never passes or fails, when the target %s", async (_, fault) => {
    const target = new Telling();
    target.fault = fault;
    for (const gate of GATES.filter(
      ({ phases, name }) => phases.includes("verify") && !["rollout", "capacity"].includes(name),
    )) {
      expect(await verdict(gate, target)).toEqual({
        gate: gate.name,
        outcome: "inconclusive",
        evidence: fault.message,
      });
    }
  });

  it("is inconclusive when it fails itself", async () => {
    const faulty: Gate = { name: "faulty", phases: ["verify"], check: () => Promise.reject(new TypeError("oops")) };

    expect(await verdict(faulty, new Telling())).toMatchObject({
      outcome: "inconclusive",
      evidence: "the gate itself failed: oops",
    });
  });

  it("has a name of its own and at least one phase", () => {
    expect(new Set(GATES.map(({ name }) => name)).size).toBe(GATES.length);
    for (const { phases } of GATES) expect(phases.length).toBeGreaterThan(0);
  });
});

describe("the gate 'rollout'", () => {
  const target = new Telling();

  function begin(clock = new ManualClock()): Check {
    const context = { target, environment, color: "green", version: "2.0.0", signal: never, clock } as const;
    return rollout.begin?.({ ...context, listener: () => undefined }) ?? rollout;
  }

  it("passes with enough ready pods, and names those that are still starting", async () => {
    const evidence = "2 of 2 needed pods ready";
    expect(await verdict(rollout, target, snapshotOf([{}, {}]))).toMatchObject({ outcome: "pass", evidence });
    expect(await verdict(rollout, target, snapshotOf([{}, {}, { ready: false }]))).toMatchObject({
      outcome: "pass",
      evidence: `${evidence}; pod-2 not ready yet`,
    });
  });

  it("fails with each pod that crashed or is of another stage", async () => {
    const pods = [{}, {}, { restarts: 2 }, { current: false }];
    expect(await verdict(rollout, target, snapshotOf(pods))).toMatchObject({
      outcome: "fail",
      evidence: "4 of 2 needed pods ready; pod-2 restarted 2 ×; pod-3 is of a previous stage",
    });
  });

  it("waits for replacements as long as a staged pod may take to start, and then fails", async () => {
    const clock = new ManualClock();
    const bake = begin(clock);
    const given = snapshotOf([{}, { name: "new", ready: false }]);
    await verdict(rollout, target, given, bake);
    await clock.pass(19_000);
    expect(await verdict(rollout, target, given, bake)).toMatchObject({
      outcome: "inconclusive",
      evidence: "1 of 2 needed pods ready; waiting for replacements, 19 of 20 s that a pod may take to start",
    });
    await clock.pass(1000);
    expect(await verdict(rollout, target, given, bake)).toMatchObject({ outcome: "fail" });
  });

  it("fails when too few are left because pods that were ready no longer are", async () => {
    const bake = begin();
    await verdict(rollout, target, snapshotOf([{}, {}]), bake);
    expect(await verdict(rollout, target, snapshotOf([{}, { ready: false }]), bake)).toMatchObject({
      outcome: "fail",
      evidence: "1 of 2 needed pods ready; pod-1 no longer ready",
    });
  });

  it("does not blame the version for nodes that do not report", async () => {
    const bake = begin();
    await verdict(rollout, target, snapshotOf([{}, {}]), bake);
    const silent = { ready: false, nodeSilent: true };
    expect(await verdict(rollout, target, snapshotOf([silent, silent]), bake)).toMatchObject({
      outcome: "inconclusive",
      evidence: "0 of 2 needed pods ready; the nodes of pod-0, pod-1 do not report; a report of theirs decides",
    });
  });
});

describe("the gate 'capacity'", () => {
  const target = new Telling();

  it("passes with as many ready pods as carry the traffic", async () => {
    const evidence = "2 ready pods, 2 carry the traffic now";
    expect(await verdict(capacity, target, snapshotOf([{}, {}], [{}, {}]))).toMatchObject({
      outcome: "pass",
      evidence,
    });
    expect(await verdict(capacity, target, snapshotOf([{}], []))).toMatchObject({ outcome: "pass" });
  });

  it("fails with fewer, and with none even when nothing carries the traffic", async () => {
    const less = snapshotOf([{}, { ready: false }], [{}, {}]);
    expect(await verdict(capacity, target, less)).toMatchObject({ outcome: "fail" });
    expect(await verdict(capacity, target, snapshotOf([], []))).toMatchObject({ outcome: "fail" });
  });
});

describe("the gate 'version'", () => {
  const target = new Telling();

  it("passes when every pod says the version and the color that were staged", async () => {
    target.reports = [says("healthy"), says("degraded")];
    expect(await verdict(version, target)).toMatchObject({ outcome: "pass", evidence: "2 pods run 2.0.0" });
  });

  it("fails with each pod that says something else", async () => {
    target.reports = [says("healthy", { version: "1.0.0" }), says("healthy", { color: "blue" }), says("healthy")];
    expect(await verdict(version, target)).toMatchObject({
      outcome: "fail",
      evidence: "pod-healthy runs 1.0.0 as green, not 2.0.0, pod-healthy runs 2.0.0 as blue, not 2.0.0",
    });
  });

  it("compares the image with the one that the stage was accepted with, where the server names no version", async () => {
    const silent = new Telling();
    silent.probe.versions = undefined;
    const { snapshot } = snapshotOf([{}]);
    const fields = { mark: "m", image: "two", version: "2.0.0", from: "blue", to: "green", phase: "verify" } as const;
    const staged = (accepted?: string) => ({
      snapshot: { ...snapshot, release: { ...fields, startedAt: "2026-01-01T00:00:00Z", accepted } },
    });

    expect(await verdict(version, silent, staged("two"))).toMatchObject({
      outcome: "pass",
      evidence: "green runs two; the server has no page that names its version (server.version)",
    });
    expect(await verdict(version, silent, staged("three"))).toMatchObject({ outcome: "fail" });
    expect(await verdict(version, silent, staged())).toMatchObject({ outcome: "inconclusive" });
  });

  it("is inconclusive when no pod answers", async () => {
    target.reports = [];
    expect(await verdict(version, target)).toMatchObject({
      outcome: "inconclusive",
      evidence: "no pod of green is ready; the report of one decides",
    });
  });
});

describe("the gate 'health'", () => {
  const target = new Telling();

  it("passes when every pod can work, and names those with a degraded dependency", async () => {
    target.reports = [says("healthy")];
    expect(await verdict(health, target)).toMatchObject({ outcome: "pass", evidence: "1 pods healthy" });
    target.reports = [says("healthy"), says("degraded")];
    expect(await verdict(health, target)).toMatchObject({ outcome: "pass", evidence: "degraded: pod-degraded" });
  });

  it("goes by ready pods, and says so, where the server has no page for its health", async () => {
    const silent = new Telling();
    silent.probe.health = undefined;
    expect(await verdict(health, silent, snapshotOf([{}, { ready: false }]))).toMatchObject({
      outcome: "pass",
      evidence: "1 pods ready; the server has no page for its health (server.health)",
    });
    expect(await verdict(health, silent, snapshotOf([]))).toMatchObject({ outcome: "inconclusive" });
  });

  it("fails with a critical pod", async () => {
    target.reports = [says("healthy"), says("critical")];
    expect(await verdict(health, target)).toMatchObject({ outcome: "fail", evidence: "critical: pod-critical" });
  });

  it("is inconclusive when no pod answers", async () => {
    target.reports = [];
    expect(await verdict(health, target)).toMatchObject({ outcome: "inconclusive" });
  });
});

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
