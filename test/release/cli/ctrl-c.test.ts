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
  const reason = "interrupted by SIGINT; go on with 'release run', or back with 'release rollback'";

  it("exits with 130, and 'run' resumes", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGINT", "happens", "run");

    expect(interrupted.code).toBe(130);
    expect(interrupted.last).toMatchObject({ type: "result", result: "interrupted", reason });
    expect(gone.code).toBe(0);
    expect(gone.last).toMatchObject({ type: "result", result: "done" });
    expect(moved).toBe(true);
  }, 30_000);

  it("exits with 130, and 'rollback' goes back", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGINT", "happens", "rollback");

    expect(interrupted.code).toBe(130);
    expect(interrupted.last).toMatchObject({ type: "result", result: "interrupted", reason });
    expect(gone.code).toBe(0);
    expect(gone.last).toMatchObject({ type: "result", result: "done" });
    expect(moved).toBe(false);
  }, 30_000);
});
