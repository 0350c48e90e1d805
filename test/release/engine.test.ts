import { describe, expect, it, jest } from "@jest/globals";
import { StateChanged, TargetRefused, TargetUnreachable } from "../../release/errors.ts";
import type { ReleaseEvent, ReleaseResult } from "../../release/events.ts";
import type { Outcome } from "../../release/gates/gate.ts";
import type { Command } from "../../release/run-release.ts";
import { carryOut, RESUME, ROLLBACK, RUN, STAGE, type Setup } from "./a-release.ts";
import { instantClock } from "./instant-clock.ts";
import { Killed, MemoryTarget, quickEnvironment } from "./memory-target.ts";

/** More than any release makes; a kill that comes later than its last call is none. */
const MOST_CALLS = 40;

/** Says one outcome after the other, the last one from then on. */
function inTurn(...outcomes: Outcome[]): () => Outcome {
  return () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) ?? "inconclusive";
}

// Each of the first tests runs thousands of releases.
jest.setTimeout(60_000);

describe("a release that is killed", () => {
  const scenarios: { name: string; setup: Setup; live: "old" | "new"; outcome?: string }[] = [
    { name: "passes", setup: {}, live: "new", outcome: "released" },
    { name: "is aborted", setup: { verify: () => "fail" }, live: "old", outcome: "aborted" },
    { name: "is inconclusive", setup: { verify: () => "inconclusive" }, live: "old" },
    { name: "fails in bake", setup: { bake: () => "fail" }, live: "old", outcome: "rolled-back" },
  ];

  for (const { name, setup, live, outcome } of scenarios) {
    it(`and would be one that ${name}, resumes by 'run' from every call, and from every call of that one`, async () => {
      const worlds = await killedTwice(setup, RESUME);
      expect(worlds.length).toBeGreaterThan(400);
      for (const target of worlds) {
        await settle(target, RESUME, setup);

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
      const worlds = await killedTwice(setup, ROLLBACK);
      expect(worlds.length).toBeGreaterThan(400);
      for (const target of worlds) {
        await settle(target, ROLLBACK, setup);

        expect(target.harms).toEqual([]);
        expect(target.colors[target.live].image).toBe("old");
        expect(target.live).toBe("blue");
        expect(["aborted", "rolled-back", undefined]).toContain(target.release?.outcome);
        if (target.moves.length > 0) expect(target.release?.outcome).toBe("rolled-back");
      }
    });
  }

  /** Every world that a release leaves behind, which is killed at one call and, gone on with in this way, at another. */
  async function killedTwice(setup: Setup, again: Command) {
    const worlds: MemoryTarget[] = [];
    for (let first = 0; ; first += 1) {
      const batch = Array.from({ length: MOST_CALLS }, () => new MemoryTarget());
      const killed = await Promise.all(
        batch.map(async (target, second) => {
          target.killBefore(first);
          await unlessKilled(carryOut(target, RUN, setup));
          if (!target.killed) return false;
          target.revive(second);
          await unlessKilled(carryOut(target, again, setup));
          return true;
        }),
      );
      worlds.push(...batch);
      if (!killed.includes(true)) return worlds;
    }
  }

  /** Goes on undisturbed until there is nothing more to do. */
  async function settle(target: MemoryTarget, go: Command, setup: Setup) {
    target.revive();
    if (target.release === undefined) await carryOut(target, RUN, setup);
    await unlessKilled(carryOut(target, go, setup));
  }

  /** What cannot be asked any more, since it is done, is fine too. */
  async function unlessKilled(result: Promise<ReleaseResult>): Promise<void> {
    await result.catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
  }
});

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

describe("the engine", () => {
  it("rolls back even when the target is out of reach just then for a moment", async () => {
    for (const lost of ["look", "write", "move"]) {
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

      expect(await carryOut(target, RUN, { bake })).toMatchObject({ result: "rolled-back" });
      expect(target.live).toBe("blue");
    }
  });

  it("does not start, with nothing changed, while the target does not answer", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    target.before = () => {
      throw new TargetUnreachable("away");
    };

    const { result, reason } = await carryOut(target, { do: "verify" });
    expect(result).toBe("not-started");
    expect(reason).toMatch(/^away \(for \d s\)$/);
  });

  it("goes on trying through an outage before the traffic has moved too, and pauses after holdTimeoutSeconds", async () => {
    const target = new MemoryTarget();
    let failures = 3;
    target.before = (call) => {
      if (call === "hold" && failures-- > 0) throw new TargetUnreachable("away");
    };
    expect(await carryOut(target, STAGE)).toMatchObject({ result: "done" });
    expect(await carryOut(target, { do: "verify" })).toMatchObject({ result: "done" });

    target.before = (call) => {
      if (call === "move") throw new TargetUnreachable("no answer");
    };
    const { result, reason } = await carryOut(target, { do: "promote" });
    // Whether a move without an answer has happened shows at the next observation: it has not.
    expect(result).toBe("paused-old-live");
    expect(reason).toMatch(/^no answer \(for \d+ s\)$/);
  });

  it("says that the new version may be live when a move got no answer and neither did anything after it", async () => {
    const target = new MemoryTarget();
    let away = false;
    target.before = (call) => {
      away ||= call === "move";
      if (away) throw new TargetUnreachable("away");
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "paused-new-live" });
  });

  it.each(["policy", "invalid", "forbidden", "quota"] as const)(
    "pauses at once when the target refuses a move (%s)",
    async (kind) => {
      const target = new MemoryTarget();
      target.before = (call) => {
        if (call === "move") throw new TargetRefused(kind, "denied by a policy");
      };

      expect(await carryOut(target, RUN)).toEqual({ result: "paused-old-live", reason: "denied by a policy" });
      expect(target.release?.phase).toBe("promote");
      target.before = () => undefined;
      expect(await carryOut(target, RESUME)).toMatchObject({ result: "released" });
    },
  );

  it("changes nothing more once another command has taken the lease, wherever that happens", async () => {
    for (const call of ["stage", "hold", "move", "write", "look"]) {
      const target = new MemoryTarget();
      let changes = 0;
      let displaced = false;
      target.before = (now) => {
        if (displaced && ["stage", "hold", "move", "write"].includes(now)) changes += 1;
        if (now !== call || displaced || target.release?.phase === undefined) return;
        displaced = true;
        target.displace();
      };
      const result = await carryOut(target, RUN);

      expect(result).toEqual({
        result: "lease-held",
        reason: "another command has taken over this release's lease",
      });
      expect(changes).toBe(0);
    }
  });

  it("follows the traffic when its compare and swap finds that others moved it", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "move") target.live = "green";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
    expect(target).toMatchObject({ live: "green", moves: [] });
  });

  it("aborts when others staged something else on the idle color, also the same image", async () => {
    for (const change of [{ image: "other", mark: undefined }, { mark: "theirs" }]) {
      const target = new MemoryTarget();
      await carryOut(target, STAGE);
      Object.assign(target.colors.green, change);

      const { result, reason } = await carryOut(target, { do: "promote" });
      expect(result).toBe("aborted");
      expect(reason).toContain("which others staged after this release");
      expect(target.moves).toEqual([]);
    }
  });

  it("does not care that an admission webhook rewrites the image", async () => {
    const target = new MemoryTarget();
    target.before = () => {
      if (target.colors.green.image === "new") target.colors.green.image = "mirror/new";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
  });

  it("brings new pods when a release of the same image is tried again, and none when one is resumed", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    const first = target.colors.green.mark;
    await carryOut(target, RUN, { verify: () => "fail" });
    expect(target.colors.green.mark).toBe(first);
    await carryOut(target, STAGE);
    expect(target.colors.green.mark).not.toBe(first);
  });

  it("rolls back to the version from before the release and to nothing else, unless it is told to", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    target.colors.blue.image = "unknown";

    const { result, reason } = await carryOut(target, ROLLBACK);
    expect(result).toBe("usage");
    expect(reason).toBe(
      "blue no longer runs old, which was live before the release, but unknown; " +
        "to roll back to that nevertheless: release rollback --to-changed-standby",
    );
    expect(target.live).toBe("green");
    expect(await carryOut(target, { do: "rollback", toChangedStandby: true })).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });

  it("pauses a bake's rollback too when others have changed the color that it would return to", async () => {
    const target = new MemoryTarget();
    const bake = () => {
      target.colors.blue.image = "unknown";
      return "fail" as const;
    };

    expect(await carryOut(target, RUN, { bake })).toMatchObject({ result: "paused-new-live" });
    expect(target.live).toBe("green");
  });

  it("does not wait for a hold at the environment's own minimum, which no target can tell from none", async () => {
    const target = new MemoryTarget();
    target.colors.blue.ready = 1;

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
  });

  it("says that the lease is held by another one also when it learns that in a pause", async () => {
    const target = new MemoryTarget();
    const verify = () => {
      target.displace();
      return "inconclusive" as const;
    };

    expect(await carryOut(target, RUN, { verify })).toMatchObject({ result: "lease-held" });
  });

  it("has not started when others keep changing what it would take", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "write") throw new StateChanged("others changed the lease 10 times");
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "not-started" });
  });

  it("does not say that the old version is live when others gave the traffic to an aborted one", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "look" && target.release?.phase === "verify") target.live = "green";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "paused-new-live" });
    expect(target.release).toMatchObject({ phase: "ended", outcome: "aborted" });
  });

  it("waits for as long as a target says that is overloaded", async () => {
    const target = new MemoryTarget();
    const clock = instantClock();
    let refusals = 1;
    target.before = (call) => {
      if (call === "move" && refusals-- > 0) throw new TargetUnreachable("too many requests", { retryAfterMs: 7000 });
    };

    const environment = quickEnvironment({ holdTimeoutSeconds: 60 });
    expect(await carryOut(target, RUN, { clock, environment })).toMatchObject({ result: "released" });
    expect(clock.now()).toBeGreaterThanOrEqual(7000);
  });

  it("waits between two tries of an action that has no effect", async () => {
    const target = new MemoryTarget();
    const clock = instantClock();
    let holds = 0;
    target.before = (call) => {
      if (call === "hold") holds += 1;
      if (call === "look" && target.release?.phase === "verify") target.colors.green.heldAt = undefined;
    };
    const interrupted = new AbortController();
    const listener = () => {
      if (clock.now() > 1000) interrupted.abort(new Error("enough"));
    };
    await carryOut(target, RUN, { clock, listener, signal: interrupted.signal });

    // Two colors, every 5 ms.
    expect(holds).toBeLessThanOrEqual(2 * (1000 / 5 + 2));
  });

  it("stops when it is interrupted, and says which version is live", async () => {
    const target = new MemoryTarget();
    const interrupt = new AbortController();
    const bake = () => {
      interrupt.abort(new Error("interrupted by SIGINT"));
      return "fail" as const;
    };
    const result = await carryOut(target, RUN, { bake, signal: interrupt.signal });

    const reason = "interrupted by SIGINT; go on with 'release run', or go back with 'release rollback'";
    expect(result).toEqual({ result: "paused-new-live", reason });
    expect(target.release?.phase).toBe("bake");
  });

  it("runs no gate on pods of the previous stage", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "hold") target.colors.green.rollingOut = true;
    };
    const listener = (event: ReleaseEvent) => {
      if (event.type === "progress" && event.message.endsWith("pods of the previous stage among them"))
        target.colors.green.rollingOut = false;
    };
    const verify = () => (target.colors.green.rollingOut === true ? "fail" : "pass");

    expect(await carryOut(target, STAGE)).toMatchObject({ result: "done" });
    expect(await carryOut(target, { do: "verify" }, { verify, listener })).toMatchObject({ result: "done" });
    expect(target.colors.green.rollingOut).toBe(false);
  });

  it("aborts early, with the target's reason, when pods cannot start", async () => {
    const target = new MemoryTarget();
    const what = "pod-0: ImagePullBackOff: registry.example/app:2 not found";
    target.before = (call) => {
      if (call === "hold") Object.assign(target.colors.green, { problems: [{ what, final: true }], ready: 0 });
      if (call === "color green") target.colors.green.ready = 0;
    };

    expect(await carryOut(target, RUN)).toEqual({ result: "aborted", reason: `green: 0 of 2 pods ready; ${what}` });
  });

  it("scales up first after a release has retired, and pauses the rollback if that does not succeed", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    target.colors.green.ready = 2;
    target.before = (call) => {
      if (call === "color blue") target.colors.blue.ready = 1;
    };

    expect(await carryOut(target, ROLLBACK)).toMatchObject({
      result: "paused-new-live",
      reason: "blue: 1 of 2 pods ready after 0.05 s",
    });
    expect(target.live).toBe("green");
    target.before = () => undefined;
    target.colors.blue.ready = 2;
    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });
});
