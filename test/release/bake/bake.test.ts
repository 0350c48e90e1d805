import { describe, expect, it } from "@jest/globals";
import { TargetUnreachable } from "../../../release/errors.ts";
import type { ReleaseEvent } from "../../../release/events.ts";
import type { Outcome } from "../../../release/gates/gate.ts";
import { carryOut, RESUME, RUN } from "../a-release.ts";
import { MemoryTarget, quickEnvironment } from "../memory-target.ts";

/** Says one outcome after the other, the last one from then on. */
function inTurn(...outcomes: Outcome[]): () => Outcome {
  return () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) ?? "inconclusive";
}

describe("the bake", () => {
  it("counts only checks in which every gate passed", async () => {
    const looks: Outcome[] = [];
    const bake = inTurn("inconclusive", "pass", "inconclusive", "fail", "pass", "inconclusive", "pass");
    const result = await carryOut(new MemoryTarget(), RUN, {
      environment: quickEnvironment({ durationSeconds: 0.003, intervalSeconds: 0.001 }),
      bake: () => looks[looks.push(bake()) - 1] ?? "inconclusive",
    });

    expect(result.result).toBe("released");
    expect(looks).toEqual(["inconclusive", "pass", "inconclusive", "fail", "pass", "inconclusive", "pass"]);
  });

  it("rolls back after failureLimit failed checks in a row, and an inconclusive check breaks no row", async () => {
    const target = new MemoryTarget();
    const bake = inTurn("fail", "pass", "fail", "inconclusive", "fail", "pass");
    const environment = quickEnvironment({ failureLimit: 2, durationSeconds: 0.004 });
    const result = await carryOut(target, RUN, { environment, bake });

    expect(result).toEqual({
      result: "rolled-back",
      reason: "blue is live again: bake-gate: as told",
    });
    expect(target.moves).toEqual(["green", "blue"]);
  });

  it("rolls back a version that fails most of its checks, although others pass between them", async () => {
    let checks = 0;
    const bake = () => (checks++ % 3 === 2 ? ("pass" as const) : ("fail" as const));
    const environment = quickEnvironment({ failureLimit: 3, durationSeconds: 1 });

    expect(await carryOut(new MemoryTarget(), RUN, { environment, bake })).toMatchObject({ result: "rolled-back" });
    expect(checks).toBeLessThan(10);
  });

  it("pauses with the new color live when gates were inconclusive for too long, and can be resumed", async () => {
    const target = new MemoryTarget();
    const environment = quickEnvironment({ holdTimeoutSeconds: 0.003 });
    const result = await carryOut(target, RUN, { environment, bake: () => "inconclusive" });

    expect(result).toEqual({ result: "paused-new-live", reason: "bake-gate: as told" });
    expect(target.release).toMatchObject({ phase: "bake", capacity: 2, reason: "bake-gate: as told" });
    expect(target).toMatchObject({ live: "green", colors: { blue: { heldAt: 2 }, green: { heldAt: 2 } } });
    expect(await carryOut(target, RESUME)).toMatchObject({ result: "released" });
  });

  it("holds both colors again after a deploy lowered their minimum", async () => {
    const target = new MemoryTarget();
    const seen: unknown[] = [];
    const bake = () => {
      seen.push([target.colors.blue.heldAt, target.colors.green.heldAt]);
      target.colors.blue.heldAt = undefined;
      target.colors.green.heldAt = 1;
      return "pass" as const;
    };
    await carryOut(target, RUN, { bake });

    expect(seen).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it("pauses while the target does not answer and goes on when it does", async () => {
    const target = new MemoryTarget();
    const messages: string[] = [];
    let away = 0;
    target.before = (call) => {
      if (target.release?.phase === "bake" && call === "look" && away++ % 4 !== 0) throw new TargetUnreachable("away");
    };
    const listener = (event: ReleaseEvent) => {
      if (event.type === "progress") messages.push(event.message);
    };

    expect(await carryOut(target, RUN, { listener })).toMatchObject({ result: "released" });
    expect(messages).toContain("paused: away");
    expect(target.moves).toEqual(["green"]);
  });

  it("is over when others move the traffic back", async () => {
    const target = new MemoryTarget();
    const bake = () => {
      target.live = "blue";
      return "pass" as const;
    };

    expect(await carryOut(target, RUN, { bake })).toEqual({
      result: "rolled-back",
      reason: "blue is live again: others moved the traffic back",
    });
    expect(target.moves).toEqual(["green"]);
  });
});
