import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Displaced, LeaseHeld } from "../../../release/errors.ts";
import type { Target } from "../../../release/ports/target.ts";
import { acquire, aRecord, type OpenWorld, type World } from "./world.ts";

const MINUTE = 60_000;

/** What every implementation of `Records` promises: the lease, its fence, the record and the history. */
export function recordsContract(name: string, open: OpenWorld): void {
  describe(`the records of ${name}`, () => {
    let world: World;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("have no record before the first release", async () => {
      const { records } = world.open();

      expect(await records.read()).toBeUndefined();
      expect(await records.history()).toEqual([]);
    });

    it("keep the record for every later process", async () => {
      const release = aRecord();
      const authority = await acquire(world.open());
      await authority.write(release);
      await authority.release();

      expect(await world.open().records.read()).toEqual(release);
      await acquire(world.open());
      expect(await world.open().records.read()).toEqual(release);
    });

    it("tell the last 20 releases that have ended, newest first", async () => {
      const authority = await acquire(world.open());
      const releases = Array.from({ length: 22 }, () => aRecord({ phase: "ended", outcome: "released" }));
      for (const release of releases) {
        await authority.write({ ...release, phase: "bake", outcome: undefined });
        await authority.write(release);
      }

      expect(await world.open().records.history()).toEqual(releases.reverse().slice(0, 20));
    });

    it("tell a release once that ended and was rolled back later", async () => {
      const authority = await acquire(world.open());
      const release = aRecord({ phase: "ended", outcome: "released" });
      await authority.write(release);
      await authority.write({ ...release, outcome: "rolled-back" });

      expect(await world.open().records.history()).toEqual([{ ...release, outcome: "rolled-back" }]);
    });

    it("name the holder of the lease to a process that does not want it, and nobody once it is given back", async () => {
      const { records } = world.open();
      expect(await records.holder()).toBeUndefined();

      const authority = await acquire(world.open(), "first");
      expect(await records.holder()).toContain("first");

      await authority.release();
      expect(await records.holder()).toBeUndefined();
    });

    it("raise the epoch with each holder", async () => {
      const epochs: number[] = [];
      for (const holder of ["first", "second", "third"]) {
        const authority = await acquire(world.open(), holder);
        epochs.push(authority.fence.epoch);
        await authority.release();
      }

      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
      expect(new Set(epochs).size).toBe(3);
    });

    it("refuse a second holder while the first one renews, and name the first", async () => {
      await acquire(world.open(), "first");
      const waited: [string, number][] = [];
      const second = waitFor(world.open(), waited);
      await world.pass(MINUTE);

      expect(await second).toBeInstanceOf(LeaseHeld);
      expect(await second).toMatchObject({ message: expect.stringContaining("first") as unknown });
      expect(waited).toEqual([[expect.stringContaining("first"), expect.any(Number)]]);
    });

    it("give the lease of a killed holder to the next one, after telling for how long it waits", async () => {
      const killed = world.open();
      await acquire(killed, "killed");
      world.kill(killed);
      const waited: [string, number][] = [];
      const second = waitFor(world.open(), waited);
      await world.pass((waited[0]?.[1] ?? 60) * 1000 + 2000);

      expect(await second).toMatchObject({ fence: { epoch: expect.any(Number) as unknown } });
      expect(waited).toHaveLength(1);
    });

    it("give a lease that was given back at once", async () => {
      const first = await acquire(world.open(), "first");
      await first.release();
      const waited: [string, number][] = [];

      expect(await waitFor(world.open(), waited)).not.toBeInstanceOf(Error);
      expect(waited).toEqual([]);
    });

    it("let a holder take over at once, and tell the one before", async () => {
      const first = await acquire(world.open(), "first");
      const second = await acquire(world.open(), "second", true);
      await world.pass(MINUTE);

      expect(first.lost.reason).toBeInstanceOf(Displaced);
      expect(second.lost.aborted).toBe(false);
      await expect(first.write(aRecord())).rejects.toThrow(Displaced);
      expect(await world.open().records.read()).toBeUndefined();
    });

    it("give the lease back to nobody else's harm", async () => {
      const first = await acquire(world.open(), "first");
      const second = await acquire(world.open(), "second", true);
      await first.release();
      await world.pass(MINUTE);

      expect(second.lost.aborted).toBe(false);
    });

    it("end the wait for a lease when the signal aborts", async () => {
      await acquire(world.open(), "first");
      const interrupted = new AbortController();
      const waiting = world.open().records.acquire({
        holder: "second",
        takeOver: false,
        signal: interrupted.signal,
        waiting: () => {
          interrupted.abort(new Error("interrupted"));
        },
      });

      await expect(waiting).rejects.toThrow("interrupted");
    });
  });
}

/** Acquires without taking over, and tells the outcome as a value. */
async function waitFor(target: Target, waited: [string, number][]): Promise<unknown> {
  const options = {
    holder: "second",
    takeOver: false,
    signal: new AbortController().signal,
    waiting: (holder: string, seconds: number) => {
      waited.push([holder, seconds]);
    },
  };
  return await target.records.acquire(options).catch((error: unknown) => error);
}
