import { describe, expect, it } from "@jest/globals";
import { Commands } from "../../release/commands.ts";
import type { Gate } from "../../release/gates/gate.ts";
import { TargetUnreachable } from "../../release/target.ts";
import { MemoryTarget, quickEnvironment } from "./memory-target.ts";

const NEW = { image: "new", version: "2" };

const passes: Gate = {
  name: "passes",
  phases: ["verify", "bake"],
  check: () => Promise.resolve({ outcome: "pass", evidence: "as told" }),
};

const cannotLook: Gate = {
  name: "cannot look",
  phases: ["verify"],
  check: () => Promise.reject(new TargetUnreachable("nothing answered")),
};

const broken: Gate = {
  name: "broken",
  phases: ["verify"],
  check: () => Promise.reject(new TypeError("a fault of its own")),
};

function commandsOn(target: MemoryTarget, ...gates: Gate[]): Commands {
  const signal = new AbortController().signal;
  return new Commands({ target, environment: quickEnvironment(), gates, signal, listener: () => undefined });
}

describe("invariant 3: promote changes exactly one object, and only from the state it expects", () => {
  it("makes one move of the traffic in a whole release", async () => {
    const target = new MemoryTarget();
    await commandsOn(target, passes).run(NEW);

    expect(target.moves).toEqual(["green"]);
  });

  it("moves nothing when somebody else was faster, and follows the traffic instead", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "moveTraffic") target.live = "green";
    };
    const { result } = await commandsOn(target, passes).run(NEW);

    expect(target.moves).toEqual([]);
    expect(result).toBe("done");
    expect(target.live).toBe("green");
  });
});

describe("invariant 4: capacity first", () => {
  it("has as many ready pods on the new color as on the old one before traffic moves, and gives both back at the end", async () => {
    const target = new MemoryTarget();
    const ready: [number, number][] = [];
    target.before = (call) => {
      if (call === "moveTraffic") ready.push([target.colors.blue.ready, target.colors.green.ready]);
    };
    await commandsOn(target, passes).run(NEW);

    expect(ready).toEqual([[2, 2]]);
    expect([target.colors.blue.pinned, target.colors.green.pinned]).toEqual([undefined, undefined]);
  });
});

describe("invariant 6: no data is hold", () => {
  it.each([cannotLook, broken])("does not move traffic when a gate is $name, and says that it holds", async (gate) => {
    const target = new MemoryTarget();
    const { result } = await commandsOn(target, passes, gate).run(NEW);

    expect(result).toBe("held");
    expect(target.moves).toEqual([]);
  });
});

describe("invariant 7: rollback is promote backwards", () => {
  it("needs no gate, no health and no metrics, and stages nothing", async () => {
    const target = new MemoryTarget();
    await commandsOn(target, passes).stage(NEW);
    await commandsOn(target, passes).promote();
    const asked: string[] = [];
    target.before = (call) => {
      asked.push(call);
    };
    const { result } = await commandsOn(target, cannotLook).rollback();

    expect(result).toBe("done");
    expect(target.moves).toEqual(["green", "blue"]);
    expect(new Set(asked)).toEqual(new Set(["look", "record", "moveTraffic", "pin"]));
  });
});

describe("invariant 8: the cluster is the record", () => {
  it("goes on with a release from another process, by what the target says alone", async () => {
    const target = new MemoryTarget();
    await commandsOn(target, passes).stage(NEW);
    const { result, reason } = await commandsOn(target, passes).run(undefined);

    expect({ result, reason }).toEqual({ result: "done", reason: "2 is live on green" });
  });
});
