import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Displaced } from "../../../release/errors.ts";
import { acquire, type OpenWorld, type World } from "./world.ts";

/** What every implementation of `Capacity` promises. */
export function capacityContract(name: string, open: OpenWorld): void {
  describe(`the capacity of ${name}`, () => {
    let world: World;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("tells the pods of a color, and that nothing holds it", async () => {
      const { desired, heldAt, pods } = await world.open().capacity.color("blue");

      expect({ desired, heldAt, ready: pods.filter(({ ready }) => ready).length }).toEqual({ desired: 2, ready: 2 });
    });

    it("brings a color to the number of pods that it is held at, and tells that it is held", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await target.capacity.hold("green", 4, fence);
      await world.settle();
      const { heldAt, pods } = await world.open().capacity.color("green");

      expect({ heldAt, ready: pods.filter(({ ready }) => ready).length }).toEqual({ heldAt: 4, ready: 4 });
    });

    it("gives a color back to the environment's minimum", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await target.capacity.hold("green", 4, fence);
      await target.capacity.hold("green", undefined, fence);

      expect((await target.capacity.color("green")).heldAt).toBeUndefined();
    });

    it("never holds a color below the environment's minimum", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await target.capacity.hold("blue", 1, fence);
      await world.settle();

      expect((await target.capacity.color("blue")).pods).toHaveLength(2);
    });

    it("changes nothing for a holder that was displaced", async () => {
      const first = world.open();
      const { fence } = await acquire(first);
      const second = world.open();
      await acquire(second, "second", true);

      await expect(first.capacity.hold("green", 4, fence)).rejects.toThrow(Displaced);
      expect((await second.capacity.color("green")).heldAt).toBeUndefined();
    });

    it("tells the pods of the last stage by its mark, and that all of them are new", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const before = (await target.capacity.color("green")).pods.map((pod) => pod.name);
      const stage = { color: "green", image: world.image, mark: "release-1" } as const;
      await target.staging.stage(stage, fence, new AbortController().signal);
      await world.settle();
      const { mark, pods, rollingOut = false } = await target.capacity.color("green");

      expect({ mark, rollingOut, count: pods.length }).toEqual({ mark: "release-1", rollingOut: false, count: 2 });
      expect(pods.filter(({ current }) => !current)).toEqual([]);
      expect(pods.filter((pod) => before.includes(pod.name))).toEqual([]);
    });

    it("has new pods after the same image is staged with a new mark, and the same after the same mark", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const { signal } = new AbortController();
      const names: string[][] = [];
      for (const mark of ["one", "one", "two"]) {
        await target.staging.stage({ color: "green", image: world.image, mark }, fence, signal);
        await world.settle();
        names.push((await target.capacity.color("green")).pods.map((pod) => pod.name));
      }

      expect(names[1]).toEqual(names[0]);
      expect(names[2]?.filter((pod) => names[1]?.includes(pod))).toEqual([]);
    });
  });
}
