import { describe, expect, it } from "@jest/globals";
import { capacity } from "../../../release/gates/capacity.ts";
import type { Check, Gate } from "../../../release/gates/gate.ts";
import { health } from "../../../release/gates/health.ts";
import { GATES } from "../../../release/gates/index.ts";
import { rollout } from "../../../release/gates/rollout.ts";
import { version } from "../../../release/gates/version.ts";
import { TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import { ManualClock } from "../manual-clock.ts";
import environment from "../local/fixtures/environment.ts";
import { never, says, snapshotOf, Telling, verdict } from "./a-gate.ts";

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
