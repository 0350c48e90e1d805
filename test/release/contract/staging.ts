import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Color } from "../../../environment/color.ts";
import { Displaced, TrafficMoved } from "../../../release/errors.ts";
import type { Target } from "../../../release/ports/target.ts";
import { acquire, type World } from "./world.ts";

export interface StagingWorld extends World {
  /** A person deploys another value of a plain setting. */
  want(setting: string, value: string): Promise<void> | void;
}

export type OpenStagingWorld = () => Promise<StagingWorld> | StagingWorld;

/** What every implementation of `Staging` promises. */
export function stagingContract(name: string, open: OpenStagingWorld): void {
  describe(`the staging of ${name}`, () => {
    let world: StagingWorld;
    const { signal } = new AbortController();
    const stageOf = (color: Color, mark = "release-1") => ({ color, image: world.image, mark });

    /** What a color is set to run, and its pods. */
    const seen = async (target: Target, color: Color) => {
      const { image, mark, pods } = await target.capacity.color(color);
      return { image, mark, pods: pods.map((pod) => pod.name).sort() };
    };

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("puts the artifact and its mark on the idle color, and leaves the live color as it is", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const live = await seen(target, "blue");
      await target.staging.stage(stageOf("green"), fence, signal);
      await world.settle();

      expect(await seen(target, "green")).toMatchObject({ image: world.image, mark: "release-1" });
      expect(await seen(target, "blue")).toEqual(live);
      expect(await target.traffic.live()).toBe("blue");
    });

    it("does not touch the live color", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const before = await seen(target, "blue");

      await expect(target.staging.stage(stageOf("blue"), fence, signal)).rejects.toThrow(TrafficMoved);
      await world.settle();
      expect(await seen(target, "blue")).toEqual(before);
    });

    it("does not touch a color that was made live by hand", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await world.moveByOperator("green");
      const before = await seen(target, "green");

      await expect(target.staging.stage(stageOf("green"), fence, signal)).rejects.toThrow(TrafficMoved);
      await world.settle();
      expect(await seen(target, "green")).toEqual(before);
    });

    it("changes nothing for a holder that was displaced", async () => {
      const first = world.open();
      const { fence } = await acquire(first);
      const second = world.open();
      await acquire(second, "second", true);
      const before = await seen(second, "green");

      await expect(first.staging.stage(stageOf("green"), fence, signal)).rejects.toThrow(Displaced);
      await world.settle();
      expect(await seen(second, "green")).toEqual(before);
    });

    it("keeps the pods when a later holder stages the same mark again", async () => {
      const first = world.open();
      const authority = await acquire(first);
      await first.staging.stage(stageOf("green"), authority.fence, signal);
      await world.settle();
      const staged = await seen(first, "green");
      await authority.release();
      const second = world.open();
      const { fence } = await acquire(second, "second");
      await second.staging.stage(stageOf("green"), fence, signal);
      await world.settle();

      expect(await seen(second, "green")).toEqual(staged);
    });

    it("changes nothing after an abort", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const before = await seen(target, "green");
      const interrupted = AbortSignal.abort(new Error("interrupted"));

      await expect(target.staging.stage(stageOf("green"), fence, interrupted)).rejects.toThrow("interrupted");
      await world.settle();
      expect(await seen(target, "green")).toEqual(before);
    });

    it("tells what the environment has and the live pods do not have yet", async () => {
      await world.want("LOG_LEVEL", "debug");

      expect(await world.open().staging.pending("blue")).toContainEqual(
        expect.objectContaining({ setting: "env.LOG_LEVEL", wanted: "debug" }),
      );
    });
  });
}
