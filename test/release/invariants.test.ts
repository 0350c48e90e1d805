import { describe, expect, it } from "@jest/globals";
import { TargetUnreachable } from "../../release/errors.ts";
import type { Gate } from "../../release/gates/gate.ts";
import { carryOut, RESUME, ROLLBACK, RUN, STAGE } from "./a-release.ts";
import { MemoryTarget } from "./memory-target.ts";

const passes: Gate = {
  name: "passes",
  phases: ["verify", "bake"],
  check: () => Promise.resolve({ outcome: "pass", evidence: "as told" }),
};

const cannotLook: Gate = {
  name: "cannot check",
  phases: ["verify"],
  check: () => Promise.reject(new TargetUnreachable("nothing answered")),
};

const broken: Gate = {
  name: "broken",
  phases: ["verify"],
  check: () => Promise.reject(new TypeError("a fault of its own")),
};

describe("invariant 3: promote changes exactly one object, and only from the state it expects", () => {
  it("makes one move of the traffic in a whole release", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN, { gates: [passes] });

    expect(target.moves).toEqual(["green"]);
  });

  it("moves nothing if others were faster, and follows the traffic", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "move") target.live = "green";
    };
    const { result } = await carryOut(target, RUN, { gates: [passes] });

    expect(target.moves).toEqual([]);
    expect(result).toBe("released");
    expect(target.live).toBe("green");
  });
});

describe("invariant 4: capacity first", () => {
  it("has as many ready pods on the new color as on the old one before traffic moves, and gives both back at the end", async () => {
    const target = new MemoryTarget();
    const ready: [number, number][] = [];
    target.before = (call) => {
      if (call === "move") ready.push([target.colors.blue.ready, target.colors.green.ready]);
    };
    await carryOut(target, RUN, { gates: [passes] });

    expect(ready).toEqual([[2, 2]]);
    expect([target.colors.blue.heldAt, target.colors.green.heldAt]).toEqual([undefined, undefined]);
  });
});

describe("invariant 6: no data is inconclusive", () => {
  it.each([cannotLook, broken])("does not move traffic when a gate $name, and pauses", async (gate) => {
    const target = new MemoryTarget();
    const { result } = await carryOut(target, RUN, { gates: [passes, gate] });

    expect(result).toBe("paused-old-live");
    expect(target.moves).toEqual([]);
  });
});

describe("invariant 7: rollback is promote backwards", () => {
  it("needs no gate, no health and no metrics, and stages nothing", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    await carryOut(target, { do: "promote" });
    const asked: string[] = [];
    target.before = (call) => {
      asked.push(call);
    };
    const { result } = await carryOut(target, ROLLBACK, { gates: [cannotLook] });

    expect(result).toBe("done");
    expect(target.moves).toEqual(["green", "blue"]);
    const reads = ["look", "color blue", "color green"];
    expect(new Set(asked)).toEqual(new Set([...reads, "write", "move", "hold"]));
  });
});

describe("invariant 8: the cluster is the record", () => {
  it("goes on with a release from another process, by what the target says alone", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    const { result, reason } = await carryOut(target, RESUME);

    expect({ result, reason }).toEqual({ result: "released", reason: "2 is live on green" });
  });
});
