import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Interrupted, MIDDLES } from "./interrupted.ts";

let world: Interrupted;

beforeAll(async () => {
  world = await Interrupted.open({ leaseTtlMs: 2000 });
}, 20_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
}, 20_000);

describe.each(Object.keys(MIDDLES))("kill -9 in the middle of %s", (phase) => {
  it("with its change made and not written down: 'run' resumes after the lease has expired", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGKILL", "happens", "run");

    expect(interrupted.code).toBe("SIGKILL");
    expect(gone.code).toBe(0);
    expect(moved).toBe(true);
  }, 30_000);

  it("with its change lost: 'rollback' goes back after the lease has expired", async () => {
    const { interrupted, gone, moved } = await world.release(phase, "SIGKILL", "is lost", "rollback");

    expect(interrupted.code).toBe("SIGKILL");
    expect(gone.code).toBe(0);
    expect(moved).toBe(false);
  }, 30_000);
});
