import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Color } from "../../../environment/color.ts";
import type { Measurements } from "../../../release/ports/measurements.ts";
import type { Target } from "../../../release/ports/target.ts";
import type { World } from "./world.ts";

/** A world whose pods answer, each with its own name: their MCP port at `/mcp`, their admin port with health and metrics. */
export interface AnsweringWorld extends World {
  /** Makes a call to a tool of the live color. */
  call(): Promise<void>;

  /** A ready pod of the live color no longer answers. */
  silence(): Promise<void> | void;

  /** The color's pods end without being replaced. */
  stopPods(color: Color): Promise<void> | void;
}

export type OpenAnsweringWorld = () => Promise<AnsweringWorld> | AnsweringWorld;

/** What every implementation of `Probe` promises. */
export function probeContract(name: string, open: OpenAnsweringWorld): void {
  describe(`the probe of ${name}`, () => {
    let world: AnsweringWorld;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("reaches a color that is not live", async () => {
      const { url, fetch } = await world.open().probe.endpoint("green");
      const response = await fetch(url, {
        method: "POST",
        body: "{}",
        headers: { "content-type": "application/json" },
      });
      await response.text();

      expect(response.status).toBeLessThan(500);
    });

    it("tells the report of each ready pod", async () => {
      const target = world.open();
      const { pods } = await target.capacity.color("green");
      const { pods: reports = [] } = (await target.probe.health?.("green")) ?? {};
      const { pods: versions = [] } = (await target.probe.versions?.("green")) ?? {};

      expect(reports.map(({ pod }) => pod).sort()).toEqual(pods.map((pod) => pod.name).sort());
      expect(versions.map(({ pod }) => pod).sort()).toEqual(pods.map((pod) => pod.name).sort());
      expect(versions.every(({ color }) => color === "green")).toBe(true);
    });

    it("has no reports of a color without pods", async () => {
      await world.stopPods("green");
      const target = world.open();

      expect(await target.probe.health?.("green")).toEqual({ pods: [], unread: [] });
    });
  });
}

function measured({ measurements }: Target): Measurements {
  if (measurements === undefined) throw new Error("this target measures nothing");
  return measurements;
}

/** What every implementation of `Measurements` promises. */
export function measurementsContract(name: string, open: OpenAnsweringWorld): void {
  describe(`the measurements of ${name}`, () => {
    let world: AnsweringWorld;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    it("count the calls of each pod", async () => {
      await world.call();
      await world.call();
      const target = world.open();
      const { pods } = await target.capacity.color("blue");
      const { pods: calls } = await measured(target).calls("blue");

      expect([...calls.keys()].sort()).toEqual(pods.map((pod) => pod.name).sort());
      expect([...calls.values()].reduce((sum, pod) => sum + pod.calls, 0)).toBe(2);
    });

    it("name a ready pod that does not answer, and are those of the others", async () => {
      await world.silence();
      const { pods, unread } = await measured(world.open()).calls("blue");

      expect({ read: pods.size, unread: unread.length }).toEqual({ read: 1, unread: 1 });
    });
  });
}
