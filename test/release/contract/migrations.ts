import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Displaced } from "../../../release/errors.ts";
import type { Migrations } from "../../../release/ports/migrations.ts";
import type { Target } from "../../../release/ports/target.ts";
import { acquire, type World } from "./world.ts";

/** A world whose environment has a migration, which takes at most five seconds. */
export interface MigratingWorld extends World {
  /** How often the run of a mark has started. */
  starts(mark: string): Promise<number> | number;

  /** Lets the run of a mark end, after it has printed this. */
  finish(mark: string, outcome: "pass" | "fail", printed: string): Promise<void> | void;
}

export type OpenMigratingWorld = () => Promise<MigratingWorld> | MigratingWorld;

const TIMEOUT_SECONDS = 5;

/** What every implementation of `Migrations` promises. */
export function migrationsContract(name: string, open: OpenMigratingWorld): void {
  describe(`the migrations of ${name}`, () => {
    let world: MigratingWorld;
    const { signal } = new AbortController();
    const stageOf = (mark: string) => ({ color: "green", image: world.image, mark }) as const;

    beforeEach(async () => {
      world = await open();
    });

    afterEach(async () => {
      await world.close();
    });

    /** Lets time pass until the run of a mark has started. */
    async function hasStarted(mark: string) {
      while ((await world.starts(mark)) === 0) await step();
    }

    async function step(ms = 500) {
      await world.pass(ms);
      await world.settle();
    }

    /** Lets time pass until this has an answer. */
    async function ended<T>(answer: Promise<T>): Promise<T> {
      const state = { over: false };
      const end = () => {
        state.over = true;
      };
      answer.then(end, end);
      while (!state.over) await step();
      return await answer;
    }

    it("create a run that does not start by itself", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await migrationsOf(target).create(stageOf("mark-1"), fence, signal);
      await step();

      expect(await world.starts("mark-1")).toBe(0);
    });

    it("start a run and pass when it has ended well", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await migrationsOf(target).create(stageOf("mark-1"), fence, signal);
      const run = migrationsOf(target).run(stageOf("mark-1"), fence, signal, () => undefined);
      await hasStarted("mark-1");
      await world.finish("mark-1", "pass", "");

      expect(await ended(run)).toEqual({ outcome: "pass", reason: "" });
    });

    it("fail with the last line of the log, and show the others", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const shown: string[] = [];
      await migrationsOf(target).create(stageOf("mark-1"), fence, signal);
      const run = migrationsOf(target).run(stageOf("mark-1"), fence, signal, (message) => shown.push(message));
      await hasStarted("mark-1");
      await world.finish("mark-1", "fail", "ALTER TABLE notes\ncolumn 'name' exists\n");

      const { outcome, reason } = await ended(run);
      expect(outcome).toBe("fail");
      expect(reason).toContain("column 'name' exists");
      expect(shown).toContain("migration | ALTER TABLE notes");
    });

    it("find the run of a command that was interrupted, and do not start it again", async () => {
      const first = world.open();
      const authority = await acquire(first);
      await migrationsOf(first).create(stageOf("mark-1"), authority.fence, signal);
      const interrupted = new AbortController();
      const run = migrationsOf(first).run(stageOf("mark-1"), authority.fence, interrupted.signal, () => undefined);
      const aborted = expect(run).rejects.toThrow("Ctrl-C");
      await hasStarted("mark-1");
      interrupted.abort(new Error("Ctrl-C"));
      await aborted;
      await authority.release();

      const second = world.open();
      const { fence } = await acquire(second, "second");
      await migrationsOf(second).create(stageOf("mark-1"), fence, signal);
      const again = migrationsOf(second).run(stageOf("mark-1"), fence, signal, () => undefined);
      await step();
      await world.finish("mark-1", "pass", "");

      expect(await ended(again)).toMatchObject({ outcome: "pass" });
      expect(await world.starts("mark-1")).toBe(1);
      const third = migrationsOf(second).run(stageOf("mark-1"), fence, signal, () => undefined);
      expect(await ended(third)).toMatchObject({ outcome: "pass" });
      expect(await world.starts("mark-1")).toBe(1);
    });

    it("start nothing for a holder that was displaced, however late its write arrives", async () => {
      const first = world.open();
      const { fence } = await acquire(first);
      await migrationsOf(first).create(stageOf("mark-1"), fence, signal);
      await acquire(world.open(), "second", true);

      const late = migrationsOf(first).run(stageOf("mark-1"), fence, signal, () => undefined);
      await expect(ended(late)).rejects.toThrow(Displaced);
      await step();
      expect(await world.starts("mark-1")).toBe(0);
    });

    it("end a run that takes too long, which has failed then", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      await migrationsOf(target).create(stageOf("mark-1"), fence, signal);
      const run = migrationsOf(target).run(stageOf("mark-1"), fence, signal, () => undefined);

      const { outcome, reason } = await ended(run);
      expect({ outcome, reason }).toMatchObject({
        outcome: "fail",
        reason: expect.stringContaining(`${TIMEOUT_SECONDS} s`),
      });
      const again = migrationsOf(target).run(stageOf("mark-1"), fence, signal, () => undefined);
      expect(await ended(again)).toMatchObject({ outcome: "fail" });
      expect(await world.starts("mark-1")).toBe(1);
    });

    it("fail for a run that is gone: nobody can tell whether it has run", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      const run = migrationsOf(target).run(stageOf("mark-1"), fence, signal, () => undefined);

      expect(await ended(run)).toMatchObject({ outcome: "fail", reason: expect.stringContaining("is gone") });
    });

    it("start a run after that of an earlier release has ended", async () => {
      const target = world.open();
      const { fence } = await acquire(target);
      for (const mark of ["mark-1", "mark-2"]) await migrationsOf(target).create(stageOf(mark), fence, signal);
      const first = migrationsOf(target).run(stageOf("mark-1"), fence, signal, () => undefined);
      await hasStarted("mark-1");
      const second = migrationsOf(target).run(stageOf("mark-2"), fence, signal, () => undefined);
      await step();
      await step();
      expect(await world.starts("mark-2")).toBe(0);
      await world.finish("mark-1", "pass", "");
      await ended(first);
      await hasStarted("mark-2");
      await world.finish("mark-2", "pass", "");

      expect(await ended(second)).toMatchObject({ outcome: "pass" });
    });
  });
}

function migrationsOf({ migrations }: Target): Migrations {
  if (migrations === undefined) throw new Error("this target has no migrations");
  return migrations;
}
