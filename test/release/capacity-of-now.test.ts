import { TargetRefused, TargetUnreachable } from "../../release/errors.ts";
import { describe, expect, it } from "@jest/globals";
import { carryOut, ROLLBACK, RUN } from "./a-release.ts";
import { instantClock } from "./instant-clock.ts";
import { MemoryTarget, quickEnvironment } from "./memory-target.ts";

/** Grows the new color as an autoscaler does under load, each time that it is measured in the bake. */
function growing(target: MemoryTarget, pods: number): void {
  target.before = (call) => {
    if (call === "health" && target.release?.phase === "bake") target.colors.green.ready = pods;
  };
}

describe("the old color", () => {
  it("follows what carries the traffic now during the bake, so that a rollback lands on as much", async () => {
    const target = new MemoryTarget();
    growing(target, 12);
    let checks = 0;
    // The first check after the growth raises the old color; the failing ones come later.
    const bake = () => (checks++ === 0 ? "pass" : "fail");
    const environment = quickEnvironment({ durationSeconds: 1 });
    const landed: number[] = [];
    const before = target.before;
    target.before = (call) => {
      if (call === "move" && target.live === "green") landed.push(target.colors.blue.ready);
      before(call);
    };

    expect(await carryOut(target, RUN, { bake, environment })).toMatchObject({ result: "rolled-back" });
    expect(landed).toEqual([12]);
  });

  it("takes the traffic back with fewer pods when the missing ones do not come in time", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (target.release?.phase !== "bake" && target.release?.phase !== "rollback") return;
      target.colors.green.ready = 12;
      if (call === "color blue") target.colors.blue.ready = 2;
    };

    expect(await carryOut(target, RUN, { bake: () => "fail" })).toMatchObject({ result: "rolled-back" });
    expect(target.live).toBe("blue");
  });

  it("takes the traffic back at once when the new one has no ready pod", async () => {
    const target = new MemoryTarget();
    target.before = () => {
      if (target.live === "green") Object.assign(target.colors, { green: { ...target.colors.green, ready: 0 } });
    };
    await carryOut(target, { do: "stage", candidate: { image: "new", version: "2" } });
    await carryOut(target, { do: "promote" });

    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });
});

describe("a rollback", () => {
  it("goes to an old color whose rollout does not end, with the pods that it has", async () => {
    const target = new MemoryTarget();
    await carryOut(target, { do: "stage", candidate: { image: "new", version: "2" } });
    await carryOut(target, { do: "promote" });
    target.colors.green.ready = 3;
    target.before = () => {
      if (target.live === "green") Object.assign(target.colors.blue, { ready: 2, rollingOut: true });
    };

    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });

  it("keeps the pods until the autoscaler has seen the traffic, but not for longer than its window", async () => {
    for (const seenAfterSeconds of [40, Infinity]) {
      const target = new MemoryTarget();
      const clock = instantClock();
      const color = target.capacity.color.bind(target.capacity);
      let since: number | undefined;
      let waited = 0;
      target.capacity.color = async (asked) => {
        const state = await color(asked);
        if (asked !== "blue" || target.release?.outcome !== "rolled-back" || state.heldAt === undefined) return state;
        since ??= clock.now();
        waited = (clock.now() - since) / 1000;
        return { ...state, minimumBinds: waited < seenAfterSeconds };
      };
      expect(await carryOut(target, RUN, { bake: () => "fail", clock })).toMatchObject({ result: "rolled-back" });

      expect(Math.round(waited)).toBe(Math.min(seenAfterSeconds, 300));
      expect(target.harms).toEqual([]);
    }
  });

  it.each([
    ["is refused", new TargetRefused("policy", "denied")],
    ["gets no answer", new TargetUnreachable("a webhook is down")],
  ])("moves the traffic although the request to hold the pods %s", async (_, error) => {
    const target = new MemoryTarget();
    await carryOut(target, { do: "stage", candidate: { image: "new", version: "2" } });
    await carryOut(target, { do: "promote" });
    target.colors.green.ready = 5;
    target.before = (call) => {
      if (call === "hold" && target.live === "green" && target.release?.phase === "rollback") throw error;
    };

    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });
});

describe("the new color", () => {
  it("needs no more pods than the live one is set to have, which a rollout exceeds for a moment", async () => {
    const target = new MemoryTarget();
    const color = target.capacity.color.bind(target.capacity);
    target.capacity.color = async (asked) => {
      const state = await color(asked);
      return asked === "blue" && target.live === "blue" ? { ...state, desired: 1 } : state;
    };
    await carryOut(target, RUN);

    expect(target.harms).toEqual([]);
    expect(target.colors.green.ready).toBe(1);
  });

  it("gets its pods back before the gates are asked when it lost one while they waited", async () => {
    const target = new MemoryTarget();
    target.colors.blue.ready = 3;
    let lost = false;
    target.before = (call) => {
      if (lost || call !== "look" || target.colors.green.heldAt === undefined) return;
      lost = true;
      target.colors.green.ready = 2;
    };
    const seen: number[] = [];
    const verify = () => {
      seen.push(target.colors.green.ready);
      return "pass" as const;
    };

    expect(await carryOut(target, RUN, { verify })).toMatchObject({ result: "released" });
    expect(seen).toEqual([3]);
  });
});
