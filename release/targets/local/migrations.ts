import { z } from "zod";
import type { MigrationSettings } from "../../../environment/schema/migration.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { MigrationResult, Migrations } from "../../ports/migrations.ts";
import type { Stage } from "../../ports/staging.ts";
import { systemClock } from "../../system-clock.ts";
import type { HostClient } from "./host-client.ts";

const CHECK_EVERY_MS = 200;

const stateSchema = z.object({
  run: z
    .object({
      state: z.enum(["created", "running", "passed", "failed"]),
      reason: z.string().optional(),
      log: z.array(z.string()),
    })
    .optional(),
});

const nothing = z.object({});

/** Runs migrations as processes of this machine's host. */
export class LocalMigrations implements Migrations {
  readonly #host: HostClient;
  readonly #migration: MigrationSettings;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #clock: Clock;

  constructor(
    host: HostClient,
    migration: MigrationSettings,
    settings: Readonly<Record<string, string>>,
    clock = systemClock,
  ) {
    this.#host = host;
    this.#migration = migration;
    this.#settings = settings;
    this.#clock = clock;
  }

  async create({ mark, image }: Stage, { epoch }: Fence, signal: AbortSignal): Promise<void> {
    const { command, args, timeoutSeconds } = this.#migration;
    const run = {
      mark,
      command: [...command, ...args],
      environment: { ...this.#settings, CANDIDATE: image, RELEASE_MARK: mark },
      timeoutSeconds,
    };
    await this.#host.ask({ do: "create-migration", epoch, run }, nothing, signal);
  }

  async run(
    { mark }: Stage,
    { epoch }: Fence,
    signal: AbortSignal,
    progress: (message: string) => void,
  ): Promise<MigrationResult> {
    const shown = new Set<string>();
    const show = (message: string) => {
      if (!shown.has(message)) progress(message);
      shown.add(message);
    };
    for (;;) {
      const { run } = await this.#host.ask({ do: "migration", mark }, stateSchema, signal);
      switch (run?.state) {
        case undefined:
          return {
            outcome: "fail",
            reason: "the migration is gone, and whether it has run is unknown: begin a new release",
          };
        case "created":
          await this.#host.ask({ do: "start-migration", epoch, mark }, nothing, signal);
          break;
        case "running":
          show(`migrating: ${[...this.#migration.command, ...this.#migration.args].join(" ")}`);
          break;
        case "passed":
          return { outcome: "pass", reason: "" };
        case "failed":
          for (const line of run.log) progress(`migration | ${line}`);
          return {
            outcome: "fail",
            reason: ["the migration failed", run.reason, run.log.at(-1)].filter(Boolean).join(": "),
          };
      }
      await this.#clock.sleep(CHECK_EVERY_MS, signal);
    }
  }
}
