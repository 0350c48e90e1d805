import { CONTAINER } from "../../environment/names.ts";
import type { KubeStore, StoredObject } from "./store.ts";

/** What the pod of a Job does instead of running. */
export type JobPodScript = (status: Record<string, unknown>) => void;

/** The Job controller of a fake cluster. A Job runs until a test lets it end, or its deadline is one second. */
export class FakeJobs {
  /** Scripts what new pods do. @default they run */
  script: JobPodScript = () => undefined;
  readonly #store: KubeStore;
  readonly #starts = new Map<string, number>();

  constructor(store: KubeStore) {
    this.#store = store;
  }

  step(): void {
    for (const job of this.#store.list("Job")) {
      if (job.spec?.suspend === true || isEnded(job)) continue;
      if (this.#podsOf(job.metadata.name).length === 0) this.#start(job.metadata.name);
      // The clock of a test is not this controller's: a deadline that is over is one that a release has shortened.
      if (job.spec?.activeDeadlineSeconds === 1) this.#expire(job.metadata.name);
    }
  }

  starts(job: string): number {
    return this.#starts.get(job) ?? 0;
  }

  finish(job: string, outcome: "pass" | "fail", printed: string): void {
    for (const pod of this.#podsOf(job)) {
      this.#store.logs.set(pod.metadata.name, printed);
      this.#store.edit({ kind: "Pod", name: pod.metadata.name }, (draft) => {
        draft.status.phase = outcome === "pass" ? "Succeeded" : "Failed";
      });
    }
    if (outcome === "pass") this.#end(job, "Complete", "CompletionsReached");
    else this.#end(job, "Failed", "BackoffLimitExceeded");
  }

  #start(job: string): void {
    this.#starts.set(job, this.starts(job) + 1);
    const labels = { "job-name": job };
    const status = { phase: "Running", containerStatuses: [{ name: CONTAINER, restartCount: 0 }] };
    this.script(status);
    this.#store.create("Pod", { metadata: { generateName: `${job}-`, labels }, spec: {}, status });
  }

  /** The cluster deletes the pod, with its log. */
  #expire(job: string): void {
    for (const { metadata } of this.#podsOf(job)) this.#store.remove({ kind: "Pod", name: metadata.name });
    this.#end(job, "Failed", "DeadlineExceeded");
  }

  #end(job: string, type: "Complete" | "Failed", reason: string): void {
    this.#store.edit({ kind: "Job", name: job }, (draft) => {
      draft.status = { ...draft.status, conditions: [{ type, status: "True", reason }] };
    });
  }

  #podsOf(job: string): readonly StoredObject[] {
    return this.#store.list("Pod", { labelSelector: `job-name=${job}` });
  }
}

const isEnded = ({ status }: StoredObject): boolean => {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly object[] };
  return conditions.length > 0;
};
