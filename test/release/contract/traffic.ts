import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Displaced, TrafficMoved } from "../../../release/errors.ts";
import { acquire, type OpenWorld, type World } from "./world.ts";

/** What every implementation of `Traffic` promises. */
export function trafficContract(name: string, open: OpenWorld): void {
  describe(`the traffic of ${name}`, () => {
    let world: World;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("goes to the color that a release moved it to, for every process", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await target.traffic.move("blue", "green", fence);

      expect(await world.open().traffic.live()).toBe("green");
    });

    it("does not move from a color that is not live", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await world.moveByOperator("green");

      await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(TrafficMoved);
      expect(await target.traffic.live()).toBe("green");
    });

    it("does not move for a holder that was displaced, however late its write arrives", async () => {
      const first = world.open();
      const { fence } = await acquire(first);
      const second = world.open();
      await acquire(second, "second", true);

      await expect(first.traffic.move("blue", "green", fence)).rejects.toThrow(Displaced);
      expect(await second.traffic.live()).toBe("blue");
    });

    it("does not move for a holder that gave the lease back and was followed by another", async () => {
      const first = world.open();
      const authority = await acquire(first);
      await authority.release();
      await acquire(world.open(), "second");

      await expect(first.traffic.move("blue", "green", authority.fence)).rejects.toThrow(Displaced);
    });

    it("throws the signal's reason when it is aborted", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const interrupted = AbortSignal.abort(new Error("interrupted"));

      await expect(target.traffic.live(interrupted)).rejects.toThrow("interrupted");
      await expect(target.traffic.move("blue", "green", fence, interrupted)).rejects.toThrow("interrupted");
      expect(await target.traffic.live()).toBe("blue");
    });
  });
}
