import type { Fence } from "../../release/ports/fence.ts";
import type { MigrationResult, Migrations } from "../../release/ports/migrations.ts";
import type { Stage } from "../../release/ports/staging.ts";

/** The migrations of a target in memory. A run that has started ends by itself, whatever becomes of the command. */
export class MemoryMigrations implements Migrations {
  /** The marks of runs that exist, and of those that have started, once for each start. */
  readonly created = new Set<string>();
  readonly started: string[] = [];
  /** How runs end. */
  readonly outcome: MigrationResult;
  readonly #called: (call: string, fence: Fence) => void;

  constructor(called: (call: string, fence: Fence) => void, outcome: MigrationResult) {
    this.#called = called;
    this.outcome = outcome;
  }

  async create({ mark }: Stage, fence: Fence): Promise<void> {
    this.#called("create-migration", fence);
    this.created.add(mark);
    await Promise.resolve();
  }

  async run({ mark }: Stage, fence: Fence): Promise<MigrationResult> {
    this.#called("start-migration", fence);
    if (!this.created.has(mark)) return { outcome: "fail", reason: "the run is gone" };
    if (!this.started.includes(mark)) this.started.push(mark);
    this.#called("await-migration", fence);
    return await Promise.resolve(this.outcome);
  }
}
