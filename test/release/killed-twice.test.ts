import { describe, expect, it, jest } from "@jest/globals";
import type { ReleaseResult } from "../../release/events.ts";
import type { Command } from "../../release/run-release.ts";
import { carryOut, RESUME, ROLLBACK, RUN, type Setup } from "./a-release.ts";
import { Killed, MemoryTarget } from "./memory-target.ts";

/** More than any release makes; a kill that comes later than its last call is none. */
const MOST_CALLS = 40;

// Each of these tests runs thousands of releases.
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
