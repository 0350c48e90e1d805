import { describe, expect, it } from "@jest/globals";
import type { Commands } from "../../release/commands.ts";
import type { ReleaseEvent, ReleaseResult } from "../../release/events.ts";
import type { Outcome } from "../../release/gates/gate.ts";
import { TargetUnreachable, UsageError } from "../../release/target.ts";
import { commandsOn, NEW, type Setup } from "./commands-on.ts";
import { Killed, MemoryTarget, quickEnvironment } from "./memory-target.ts";

/** More than any release makes; a kill that comes later than its last call is none. */
const MOST_CALLS = 40;

/** Says one outcome after the other, the last one from then on. */
function inTurn(...outcomes: Outcome[]): () => Outcome {
  return () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) ?? "hold";
}

describe("a release that is killed", () => {
  const scenarios: { name: string; setup: Setup; live: "old" | "new"; outcome?: string }[] = [
    { name: "passes", setup: {}, live: "new", outcome: "released" },
    { name: "is refused", setup: { verify: () => "fail" }, live: "old", outcome: "refused" },
    { name: "holds", setup: { verify: () => "hold" }, live: "old" },
    { name: "fails in bake", setup: { bake: () => "fail" }, live: "old", outcome: "rolled-back" },
  ];

  for (const { name, setup, live, outcome } of scenarios) {
    it(`and would be one that ${name}, resumes by 'run' from every call, and from every call of that one`, async () => {
      const worlds = await killedTwice(setup, (commands) => commands.run(undefined));
      expect(worlds.length).toBeGreaterThan(400);
      for (const target of worlds) {
        await settle(target, (commands) => commands.run(undefined), setup);

        expect(target.harms).toEqual([]);
        expect(target.colors[target.live].image).toBe(live);
        expect(target.release?.outcome).toBe(outcome);
        // Killed or not, traffic goes over once and comes back at most once.
        expect(target.moves).toEqual(
          name === "passes" ? ["green"] : outcome === "rolled-back" ? ["green", "blue"] : [],
        );
      }
    });

    it(`and would be one that ${name}, goes back by 'rollback' from every call, and from every call of that one`, async () => {
      const worlds = await killedTwice(setup, (commands) => commands.rollback());
      expect(worlds.length).toBeGreaterThan(400);
      for (const target of worlds) {
        await settle(target, (commands) => commands.rollback(), setup);

        expect(target.harms).toEqual([]);
        expect(target.colors[target.live].image).toBe("old");
        expect(target.live).toBe("blue");
        expect(["refused", "rolled-back", undefined]).toContain(target.release?.outcome);
        if (target.moves.length > 0) expect(target.release?.outcome).toBe("rolled-back");
      }
    });
  }

  /** Every world that a release leaves behind, which is killed at one call and, gone on with in this way, at another. */
  async function killedTwice(setup: Setup, again: (commands: Commands) => Promise<ReleaseResult>) {
    const worlds: MemoryTarget[] = [];
    for (let first = 0; ; first += 1) {
      const batch = Array.from({ length: MOST_CALLS }, () => new MemoryTarget());
      const killed = await Promise.all(
        batch.map(async (target, second) => {
          target.killBefore(first);
          await unlessKilled(commandsOn(target, setup).run(NEW));
          if (!target.killed) return false;
          target.revive(second);
          await unlessKilled(again(commandsOn(target, setup)));
          return true;
        }),
      );
      worlds.push(...batch);
      if (!killed.includes(true)) return worlds;
    }
  }

  /** Goes on undisturbed until there is nothing more to do. */
  async function settle(target: MemoryTarget, go: (commands: Commands) => Promise<ReleaseResult>, setup: Setup) {
    target.revive();
    if (target.release === undefined) await commandsOn(target, setup).run(NEW);
    await unlessKilled(go(commandsOn(target, setup)));
  }

  /** What cannot be asked any more, since it is done, is fine too. */
  async function unlessKilled(result: Promise<ReleaseResult>): Promise<void> {
    await result.catch((error: unknown) => {
      if (!(error instanceof Killed || error instanceof UsageError)) throw error;
    });
  }
});

describe("the bake", () => {
  it("counts only looks in which every gate passed", async () => {
    const looks: Outcome[] = [];
    const bake = inTurn("hold", "pass", "hold", "fail", "pass", "hold", "pass");
    const result = await commandsOn(new MemoryTarget(), {
      environment: quickEnvironment({ durationSeconds: 0.003, intervalSeconds: 0.001 }),
      bake: () => looks[looks.push(bake()) - 1] ?? "hold",
    }).run(NEW);

    expect(result.result).toBe("done");
    expect(looks).toEqual(["hold", "pass", "hold", "fail", "pass", "hold", "pass"]);
  });

  it("rolls back after as many failing looks in a row as the environment allows, and a look that holds breaks no row", async () => {
    const target = new MemoryTarget();
    const bake = inTurn("fail", "pass", "fail", "hold", "fail", "pass");
    const environment = quickEnvironment({ failureLimit: 2, durationSeconds: 0.004 });
    const result = await commandsOn(target, { environment, bake }).run(NEW);

    expect(result).toEqual({
      result: "rolled-back",
      reason: "blue holds the traffic again: bake-gate: as told",
    });
    expect(target.moves).toEqual(["green", "blue"]);
  });

  it("stops and asks a person when gates have held for too long, and keeps traffic, pins and phase for whoever goes on", async () => {
    const target = new MemoryTarget();
    const environment = quickEnvironment({ holdTimeoutSeconds: 0.003 });
    const result = await commandsOn(target, { environment, bake: () => "hold" }).run(NEW);

    expect(result).toEqual({ result: "held", reason: "bake-gate: as told" });
    expect(target.release).toMatchObject({ phase: "bake", capacity: 2, reason: "bake-gate: as told" });
    expect(target).toMatchObject({ live: "green", colors: { blue: { pinned: 2 }, green: { pinned: 2 } } });
    expect(await commandsOn(target).run(undefined)).toMatchObject({ result: "done" });
  });

  it("pins both colors again after a deploy lowered them", async () => {
    const target = new MemoryTarget();
    const seen: unknown[] = [];
    const bake = () => {
      seen.push([target.colors.blue.pinned, target.colors.green.pinned]);
      target.colors.blue.pinned = undefined;
      target.colors.green.pinned = 1;
      return "pass" as const;
    };
    await commandsOn(target, { bake }).run(NEW);

    expect(seen).toEqual([
      [2, 2],
      [2, 2],
    ]);
  });

  it("holds while the target is out of reach and goes on when it is back", async () => {
    const target = new MemoryTarget();
    const messages: string[] = [];
    let away = 0;
    target.before = (call) => {
      if (target.release?.phase === "bake" && call === "look" && away++ % 4 !== 0) throw new TargetUnreachable("away");
    };
    const listener = (event: ReleaseEvent) => {
      if (event.type === "progress") messages.push(event.message);
    };

    expect(await commandsOn(target, { listener }).run(NEW)).toMatchObject({ result: "done" });
    expect(messages).toContain("holding: away");
    expect(target.moves).toEqual(["green"]);
  });

  it("is over when others move the traffic back", async () => {
    const target = new MemoryTarget();
    const bake = () => {
      target.live = "blue";
      return "pass" as const;
    };

    expect(await commandsOn(target, { bake }).run(NEW)).toEqual({
      result: "rolled-back",
      reason: "blue holds the traffic again: traffic was moved back by others",
    });
    expect(target.moves).toEqual(["green"]);
  });
});

describe("the engine", () => {
  it("rolls back even when the target is out of reach just then for a moment", async () => {
    for (const lost of ["look", "record", "moveTraffic"]) {
      const target = new MemoryTarget();
      let left = 2;
      let failed = 0;
      target.before = (call) => {
        if (call === lost && failed >= 2 && left-- > 0) throw new TargetUnreachable("away");
      };
      const bake = () => {
        failed += 1;
        return "fail" as const;
      };

      expect(await commandsOn(target, { bake }).run(NEW)).toMatchObject({ result: "rolled-back" });
      expect(target.live).toBe("blue");
    }
  });

  it("holds at once, with nothing changed, when the target is out of reach before traffic has moved", async () => {
    const target = new MemoryTarget();
    await commandsOn(target).stage(NEW);
    target.before = () => {
      throw new TargetUnreachable("away");
    };

    await expect(commandsOn(target).verify()).rejects.toThrow("away");
    target.before = (call) => {
      if (call === "pin") throw new TargetUnreachable("away");
    };
    expect(await commandsOn(target).verify()).toEqual({ result: "held", reason: "away" });
  });

  it("follows the traffic when its compare and swap finds that others moved it", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "moveTraffic") target.live = "green";
    };

    expect(await commandsOn(target).run(NEW)).toMatchObject({ result: "done" });
    expect(target).toMatchObject({ live: "green", moves: [] });
  });

  it("refuses a candidate that others replaced on the idle color after its gates had passed", async () => {
    const target = new MemoryTarget();
    await commandsOn(target).stage(NEW);
    target.colors.green.image = "other";

    const reason = "'green' runs other, not new: staged by others";
    expect(await commandsOn(target).promote()).toEqual({ result: "refused", reason });
    expect(target.moves).toEqual([]);
  });

  it("changes nothing any more once its lease is lost, and says how to go on", async () => {
    const target = new MemoryTarget();
    const lost = new AbortController();
    const bake = () => {
      lost.abort(new Error("the lease was lost"));
      return "fail" as const;
    };
    const result = await commandsOn(target, { bake, signal: lost.signal }).run(NEW);

    const reason = "the lease was lost; go on with 'release run', or back with 'release rollback'";
    expect(result).toEqual({ result: "interrupted", reason });
    expect(target.release?.phase).toBe("bake");
  });

  it("asks no gate about pods that new ones with the same image are about to replace", async () => {
    const target = new MemoryTarget();
    Object.assign(target.colors.green, { image: NEW.image, ready: 2, rollingOut: true });
    const listener = (event: ReleaseEvent) => {
      if (event.type === "progress" && event.message.endsWith("old ones among them"))
        target.colors.green.rollingOut = false;
    };
    const verify = () => (target.colors.green.rollingOut === true ? "fail" : "pass");

    expect(await commandsOn(target, { verify, listener }).run(NEW)).toMatchObject({ result: "done" });
    expect(target.colors.green.rollingOut).toBe(false);
  });

  it("waits for capacity after a release has retired, and holds the rollback when it does not come", async () => {
    const target = new MemoryTarget();
    await commandsOn(target).run(NEW);
    target.colors.green.ready = 2;
    target.before = (call) => {
      if (call === "look") target.colors.blue.ready = 1;
    };

    expect(await commandsOn(target).rollback()).toMatchObject({
      result: "held",
      reason: "blue: 1 of 2 pods ready after 0.05 s",
    });
    expect(target.live).toBe("green");
    target.before = () => undefined;
    target.colors.blue.ready = 2;
    expect(await commandsOn(target).rollback()).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });
});
