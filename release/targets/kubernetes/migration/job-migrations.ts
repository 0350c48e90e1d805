import { CONTAINER, MIGRATION_LABEL } from "../../../../environment/names.ts";
import type { MigrationSettings } from "../../../../environment/schema/migration.ts";
import { StateChanged, UsageError } from "../../../errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { MigrationResult, Migrations } from "../../../ports/migrations.ts";
import type { Stage } from "../../../ports/staging.ts";
import type { KubeApi, ObjectRef } from "../api/kube-api.ts";
import { attempt, isApiError, translated } from "../attempt.ts";
import type { Fences } from "../fences.ts";
import type { Condition, KubePod } from "../pods.ts";
import { podProblems } from "../problems.ts";
import { jobObject } from "./job-object.ts";
import { endOf, listMigrations, type MigrationJob } from "./jobs.ts";

export interface JobMigrationsOptions {
  readonly api: KubeApi;
  readonly fences: Fences;
  readonly clock: Clock;
  readonly migration: MigrationSettings;

  /** The settings that the pods of a stage will have: the JSON of constructs/pod-settings.ts. */
  readonly settings: (stage: Stage, fence: Fence, signal: AbortSignal) => Promise<unknown>;
}

const CHECK_EVERY_MS = 2000;

/** Lines of a failed migration's log that are shown. */
const LOG_LINES = 20;

const PASS: MigrationResult = { outcome: "pass", reason: "" };

/**
 * Runs migrations as Jobs, named by the mark of their release. A Job is created suspended, so that a command that lost its
 * lease after it sent the request starts nothing. The start is a write under the fence.
 *
 * A Terraform resource would not do: a plain deploy creates it again after its time to live is over.
 */
export class JobMigrations implements Migrations {
  readonly #options: JobMigrationsOptions;

  constructor(options: JobMigrationsOptions) {
    this.#options = options;
  }

  async create(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void> {
    const { api, migration, settings } = this.#options;
    if ((await this.#find(stage, signal)) === undefined) {
      const job = jobObject(api.names, stage, fence, migration, await settings(stage, fence, signal));
      try {
        await api.create("Job", job, signal);
        return;
      } catch (error) {
        // Another command goes on with the same release.
        if (!isApiError(error, "conflict")) throw translated("create the migration", error);
        await this.#find(stage, signal);
      }
    }
    await this.#options.fences.raise(this.#refOf(stage), fence.epoch, signal);
  }

  async run(
    stage: Stage,
    fence: Fence,
    signal: AbortSignal,
    progress: (message: string) => void,
  ): Promise<MigrationResult> {
    const { api, clock, migration } = this.#options;
    const name = api.names.migration(stage.mark);
    let since: number | undefined;
    let shown = "";
    const show = (message: string) => {
      if (message !== shown) progress(message);
      shown = message;
    };
    for (;;) {
      const job = await this.#find(stage, signal);
      if (job === undefined)
        return failed(`Job '${name}' is gone, and whether it has run is unknown: begin a new release`);
      const end = endOf(job);
      if (end?.type === "Complete") return PASS;
      if (end !== undefined) return await this.#failed(name, why(end), signal, progress);

      if (job.spec?.suspend === true) {
        const others = await this.#running(name, signal);
        if (others.length > 0) show(`waiting for ${others.join(", ")} of an earlier release, which still migrates`);
        else await this.#start(stage, fence, signal);
      } else {
        if (since === undefined) show(`migrating: Job '${name}' in namespace '${api.namespace}'`);
        since ??= clock.now();
        const [problem] = (await this.#pods(name, signal)).flatMap(podProblems);
        if (problem !== undefined) show(problem.what);
        const late = clock.now() - since > migration.timeoutSeconds * 1000;
        // Nothing has run, so there is no log.
        const hopeless = problem?.final === true ? failed(`the migration cannot start: ${problem.what}`) : undefined;
        if (late || hopeless !== undefined) {
          const reason = `no end after ${migration.timeoutSeconds} s`;
          const result = hopeless ?? (await this.#failed(name, reason, signal, progress));
          await this.#end(stage, fence, signal);
          return result;
        }
      }
      await clock.sleep(CHECK_EVERY_MS, signal);
    }
  }

  async #start(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void> {
    const operations = [
      { op: "test", path: "/spec/suspend", value: true },
      { op: "replace", path: "/spec/suspend", value: false },
    ] as const;
    const write = { object: this.#refOf(stage), what: "start the migration", fence, operations };
    await this.#options.fences.write(write, signal).catch((error: unknown) => {
      // Another look tells: it has started, or is gone.
      if (!(error instanceof StateChanged)) throw error;
    });
  }

  /** Lets the cluster end it now, as at its deadline; so its time to live begins, too. */
  async #end(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void> {
    const object = this.#refOf(stage);
    const operations = [{ op: "replace", path: "/spec/activeDeadlineSeconds", value: 1 }] as const;
    await this.#options.fences.raise(object, fence.epoch, signal);
    await this.#options.fences.write({ object, what: "end the migration", fence, operations }, signal);
  }

  /** @throws UsageError if a Job of another mark has the name */
  async #find(stage: Stage, signal: AbortSignal): Promise<MigrationJob | undefined> {
    const object = this.#refOf(stage);
    const job = await attempt(`read Job '${object.name}'`, this.#options.api.get<MigrationJob>(object, signal));
    const found = job?.metadata.labels?.[MIGRATION_LABEL];
    if (job === undefined || found === stage.mark) return job;
    throw new UsageError(
      `Job '${object.name}' is not this release's (mark '${stage.mark}') but that of '${found ?? "no"}' mark; delete it`,
    );
  }

  #refOf({ mark }: Stage): ObjectRef & { readonly kind: "Job" } {
    return { kind: "Job", name: this.#options.api.names.migration(mark) };
  }

  /** Two migrations at once would change one schema: a release that was aborted may have left one running. */
  async #running(own: string, signal: AbortSignal): Promise<readonly string[]> {
    const jobs = await listMigrations(this.#options.api, signal);
    return jobs
      .filter((job) => job.metadata.name !== own && job.spec?.suspend !== true && endOf(job) === undefined)
      .map(({ metadata }) => `Job '${metadata.name}'`);
  }

  async #pods(job: string, signal: AbortSignal): Promise<readonly KubePod[]> {
    const options = { labelSelector: `job-name=${job}` };
    return await attempt(`list the pods of Job '${job}'`, this.#options.api.list<KubePod>("Pod", options, signal));
  }

  async #failed(
    name: string,
    reason: string,
    signal: AbortSignal,
    progress: (message: string) => void,
  ): Promise<MigrationResult> {
    const pod = await this.#pods(name, signal).then(
      (pods) => pods.at(-1),
      () => undefined,
    );
    const lines = pod === undefined ? [] : await this.#log(pod, signal);
    for (const line of lines) progress(`migration | ${line}`);
    const parts = [[reason, ...(pod === undefined ? [] : exitOf(pod))].join(", "), ...lines.slice(-1)];
    return failed(`the migration failed: ${parts.join(": ")}; see Job '${name}'`);
  }

  /** A log explains and decides nothing: without it, or the right to read it, the migration has failed all the same. */
  async #log({ metadata: { name } }: KubePod, signal: AbortSignal): Promise<readonly string[]> {
    try {
      const log = await this.#options.api.log(name, { container: CONTAINER, lines: LOG_LINES }, signal);
      return log
        .split("\n")
        .map((line) => line.trimEnd())
        .filter((line) => line !== "");
    } catch (error) {
      signal.throwIfAborted();
      return [`(its log could not be read: ${error instanceof Error ? error.message : String(error)})`];
    }
  }
}

function exitOf({ status }: KubePod): string[] {
  const { terminated } = status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.state ?? {};
  if (terminated === undefined) return [];
  const { reason = "ended", message, exitCode } = terminated;
  return [`${reason} with exit code ${exitCode ?? "unknown"}${message === undefined ? "" : `: ${message}`}`];
}

const failed = (reason: string): MigrationResult => ({ outcome: "fail", reason: reason.replaceAll(/\s+/g, " ") });

/** The condition says no more than the exit code does if the pod ended by itself. */
const why = ({ reason = "Failed" }: Condition) => reason;
