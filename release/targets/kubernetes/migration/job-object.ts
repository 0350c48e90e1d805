import { EPOCH_ANNOTATION, MIGRATION_LABEL, type Names } from "../../../../environment/names.ts";
import type { MigrationSettings } from "../../../../environment/schema/migration.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { Stage } from "../../../ports/staging.ts";
import { migrationPod } from "./pod-spec.ts";

/**
 * How long the cluster lets a migration run beyond its timeout. A release ends it at the timeout and reads its log before,
 * because the cluster deletes the pod with its log. This is for a release that is gone.
 */
const MARGIN_SECONDS = 60;

/** A Job that does not start before it is told to, and that is never repeated. */
export function jobObject(
  names: Names,
  { mark, image }: Stage,
  { epoch }: Fence,
  { command, args, timeoutSeconds, ttlSeconds }: MigrationSettings,
  settings: unknown,
): object {
  const pod = migrationPod(settings, { image, command, args, mark });
  const labels = { ...names.labels, [MIGRATION_LABEL]: mark };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: names.migration(mark), labels, annotations: { [EPOCH_ANNOTATION]: String(epoch) } },
    spec: {
      suspend: true,
      completions: 1,
      parallelism: 1,
      // A pod that failed, or was evicted, may have changed half of what it was to change: a person decides.
      backoffLimit: 0,
      podReplacementPolicy: "Failed",
      activeDeadlineSeconds: timeoutSeconds + MARGIN_SECONDS,
      ttlSecondsAfterFinished: ttlSeconds,
      template: { metadata: { labels: { ...pod.labels, ...labels } }, spec: pod.spec },
    },
  };
}
