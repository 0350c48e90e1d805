import { describe, expect, it, jest } from "@jest/globals";
import { carryOut, RESUME, ROLLBACK, RUN } from "./a-release.ts";
import { Killed, MemoryTarget } from "./memory-target.ts";

jest.setTimeout(30_000);

const BROKEN = { outcome: "fail", reason: "column 'name' exists" } as const;

describe("a release with a migration", () => {
  it("migrates once, before it stages", async () => {
    const target = new MemoryTarget();
    const migrations = target.migrate();
    const staged: boolean[] = [];
    target.before = (call) => {
      if (call === "start-migration") staged.push(target.colors.green.image !== undefined);
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
    expect({ started: migrations.started, staged }).toEqual({ started: [target.release?.mark], staged: [false] });
  });

  it("is aborted with the reason when the migration fails, and leaves both colors as they were", async () => {
    const target = new MemoryTarget();
    target.migrate(BROKEN);

    expect(await carryOut(target, RUN)).toEqual({ result: "aborted", reason: BROKEN.reason });
    expect(target.colors).toMatchObject({ blue: { image: "old" }, green: { ready: 0 } });
    expect(target.moves).toEqual([]);
  });

  it("migrates again only as a new release, with a new mark", async () => {
    const target = new MemoryTarget();
    const { started } = target.migrate(BROKEN);
    await carryOut(target, RUN);
    await carryOut(target, RUN);

    expect(new Set(started).size).toBe(2);
  });

  it("runs no migration in a rollback", async () => {
    const target = new MemoryTarget();
    const { started } = target.migrate();
    await carryOut(target, { do: "promote" }).catch(() => undefined);
    await carryOut(target, RUN);
    await carryOut(target, ROLLBACK);

    expect(target.live).toBe("blue");
    expect(started).toHaveLength(1);
  });

  it("that is killed at any call, and again at any call, never starts a run twice", async () => {
    for (let first = 0; first < 12; first++) {
      for (let second = 0; second < 12; second++) {
        const target = new MemoryTarget();
        const migrations = target.migrate();
        target.revive(first);
        await killedOrNot(carryOut(target, RUN));
        target.revive(second);
        if (target.release !== undefined) await killedOrNot(carryOut(target, RESUME));
        target.revive();
        if (target.release !== undefined && target.release.phase !== "ended") await carryOut(target, RESUME);

        expect(migrations.started).toEqual(target.release === undefined ? [] : [target.release.mark]);
        expect(target.release?.outcome).toBe(target.release === undefined ? undefined : "released");
      }
    }
  });

  it("that loses its lease after it created the run does not start it", async () => {
    const target = new MemoryTarget();
    const { started, created } = target.migrate();
    target.before = (call) => {
      if (call === "write" && created.size > 0) target.displace();
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "lease-held" });
    expect(started).toEqual([]);
  });

  it("whose environment lost it while the release was interrupted goes on without", async () => {
    const target = new MemoryTarget();
    target.migrate();
    target.before = (call) => {
      if (call === "create-migration") throw new Killed("killed");
    };
    await killedOrNot(carryOut(target, RUN));
    target.before = () => undefined;
    target.revive();
    target.migrations = undefined;

    expect(await carryOut(target, RESUME)).toMatchObject({ result: "released" });
  });
});

async function killedOrNot(release: Promise<unknown>): Promise<void> {
  await release.catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error;
  });
}
