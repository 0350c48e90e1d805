import { MIGRATION_LABEL } from "../../../../environment/names.ts";
import type { KubeApi, KubeObject, ObjectRef } from "../api/kube-api.ts";
import { attempt } from "../attempt.ts";
import { asSelector, type Condition } from "../pods.ts";

/** The Job of a migration, as far as a release reads it. */
export interface MigrationJob extends KubeObject {
  readonly spec?: { readonly suspend?: boolean };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** The condition with which a Job has ended. */
export const endOf = ({ status }: MigrationJob): Condition | undefined =>
  status?.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");

/** Jobs that have been created and not started yet. Only these can still be changed by a command that lost its lease. */
export async function waitingMigrations(api: KubeApi, signal?: AbortSignal): Promise<readonly ObjectRef[]> {
  const jobs = await listMigrations(api, signal);
  return jobs
    .filter((job) => job.spec?.suspend === true)
    .map(({ metadata: { name } }) => ({ kind: "Job", name }) as const);
}

/** The Jobs of all releases of the app that still exist. */
export async function listMigrations(api: KubeApi, signal?: AbortSignal): Promise<readonly MigrationJob[]> {
  const options = { labelSelector: asSelector(api.names.labels) };
  const jobs = await attempt("list the migrations", api.list<MigrationJob>("Job", options, signal));
  return jobs.filter(({ metadata }) => metadata.labels?.[MIGRATION_LABEL] !== undefined);
}
