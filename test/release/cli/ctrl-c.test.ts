import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Interrupted, MIDDLES } from "./interrupted.ts";

let world: Interrupted;

beforeAll(async () => {
  world = await Interrupted.open();
}, 20_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
}, 20_000);

describe.each(Object.keys(MIDDLES))("Ctrl-C in the middle of %s", (phase) => {
  const reason = "interrupted by SIGINT; go on with 'release run', or go back with 'release rollback'";
  const newIsLive = ["promote", "bake", "retire"].includes(phase);
  const paused = { type: "result", result: newIsLive ? "paused-new-live" : "paused-old-live", reason };

  it("pauses, and 'run' resumes", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGINT", "happens", "run");

    expect(interrupted.code).toBe(newIsLive ? 5 : 4);
    expect(interrupted.last).toMatchObject(paused);
    expect(gone.code).toBe(0);
    expect(gone.last).toMatchObject({ type: "result", result: "released" });
    expect(moved).toBe(true);
  }, 30_000);

  it("pauses, and 'rollback' goes back", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGINT", "happens", "rollback");

    expect(interrupted.code).toBe(newIsLive ? 5 : 4);
    expect(interrupted.last).toMatchObject(paused);
    expect(gone.code).toBe(0);
    expect(gone.last).toMatchObject({ type: "result", result: "done" });
    expect(moved).toBe(false);
  }, 30_000);
});
