import { APP, COLOR_LABEL, CONTAINER } from "../../environment/names.ts";
import { appLabels, colorLabels, colorName, LIVE_SERVICE, PREVIEW_SERVICE } from "../default-names.ts";
import { COLORS, type Color } from "../../environment/color.ts";
import { FakeJobs } from "./jobs.ts";
import { KubeStore, type StoredObject } from "./store.ts";

/** What a container or a pod of a fake cluster does instead of becoming ready. */
export type PodScript = (pod: { status: Record<string, unknown>; metadata: Record<string, unknown> }) => void;

/**
 * A deployed environment on a store, with controllers that a test steps: an autoscaler that keeps its minimum, and a
 * Deployment that replaces pods of an earlier template at once.
 */
export class FakeCluster {
  readonly store: KubeStore;
  readonly jobs: FakeJobs;
  /** Scripts what new pods do. @default they are ready at once */
  script: PodScript | undefined;
  #pods = 0;

  constructor(store = new KubeStore()) {
    this.store = store;
    this.jobs = new FakeJobs(store);
  }

  /** An environment as a plain deploy leaves it: blue is live, both colors have their minimum. */
  static deployed(): FakeCluster {
    const cluster = new FakeCluster();
    deployEnvironment(cluster.store);
    cluster.step();
    return cluster;
  }

  /** Lets the controllers see what is, and act once. */
  step(): void {
    for (const color of COLORS) {
      this.#autoscale(color);
      this.#roll(color);
    }
    this.jobs.step();
  }

  pods(color: Color): StoredObject[] {
    return this.store.list("Pod", { labelSelector: `${COLOR_LABEL}=${color}` });
  }

  #autoscale(color: Color): void {
    const target = this.store.get({ kind: "Deployment", name: colorName(color) });
    const scaler = this.store.get({ kind: "HorizontalPodAutoscaler", name: colorName(color) });
    const replicas = target?.spec?.replicas ?? 0;
    // Kubernetes disables the autoscaler of a Deployment with no replicas.
    if (target === undefined || scaler === undefined || replicas === 0) return;
    const { minReplicas = 1 } = scaler.spec ?? {};
    if (replicas >= minReplicas) return;
    this.store.edit({ kind: "Deployment", name: colorName(color) }, (draft) => {
      draft.spec.replicas = minReplicas;
    });
  }

  #roll(color: Color): void {
    const name = colorName(color);
    const found = this.store.get({ kind: "Deployment", name });
    if (found === undefined) return;
    const { replicas, template } = found.spec as { replicas: number; template: Template };
    const hash = templateHash(template);
    this.#replicaSet(color, hash);
    for (const pod of this.pods(color)) {
      if (pod.metadata.labels?.["pod-template-hash"] !== hash) this.store.remove(ref(pod));
    }
    while (this.#counted(color).length < replicas) this.#createPod(color, hash, template);
    for (const pod of this.#counted(color).slice(replicas)) this.store.remove(ref(pod));
    this.store.edit({ kind: "Deployment", name }, (draft) => {
      const { generation: observedGeneration } = found.metadata;
      draft.status = { ...draft.status, observedGeneration, replicas, updatedReplicas: replicas };
    });
  }

  /** A Deployment replaces pods that have finished; they stay until somebody deletes them. */
  #counted(color: Color): StoredObject[] {
    return this.pods(color).filter(({ status }) => !["Failed", "Succeeded"].includes(String(status?.phase)));
  }

  #replicaSet(color: Color, hash: string): void {
    const name = `${colorName(color)}-${hash}`;
    if (this.store.get({ kind: "ReplicaSet", name }) !== undefined) return;
    const revision = this.store.list("ReplicaSet", { labelSelector: `${COLOR_LABEL}=${color}` }).length + 1;
    const annotations = { "deployment.kubernetes.io/revision": `${revision}` };
    const labels = { ...colorLabels(color), "pod-template-hash": hash };
    this.store.create("ReplicaSet", { metadata: { name, labels, annotations } });
  }

  #createPod(color: Color, hash: string, template: Template): void {
    this.#pods += 1;
    const labels = { ...colorLabels(color), "pod-template-hash": hash };
    const pod = {
      metadata: {
        name: `${colorName(color)}-${hash}-${this.#pods}`,
        labels,
        annotations: template.metadata.annotations,
      },
      spec: template.spec,
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True" }],
        containerStatuses: [{ name: CONTAINER, restartCount: 0, state: { running: {} } }],
      },
    };
    this.script?.(pod);
    this.store.create("Pod", pod);
  }
}

/** The objects of an environment, without pods. */
export function deployEnvironment(store: KubeStore, minReplicas = 2): void {
  store.create("Service", service(LIVE_SERVICE, "blue"));
  store.create("Service", service(PREVIEW_SERVICE, "green"));
  for (const color of COLORS) {
    store.create("HorizontalPodAutoscaler", autoscaler(color, minReplicas));
    store.create("Deployment", deployment(color, minReplicas, "registry/app:1"));
  }
}

interface Template {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: object;
}

export const ref = ({ metadata }: StoredObject) => ({ kind: "Pod", name: metadata.name }) as const;

const service = (name: string, color: Color) => ({
  metadata: { name, labels: appLabels() },
  spec: { selector: colorLabels(color), ports: [{ port: 80 }] },
});

const autoscaler = (color: Color, minReplicas: number) => ({
  metadata: { name: colorName(color), labels: { app: APP } },
  spec: { minReplicas, maxReplicas: 10 },
});

const deployment = (color: Color, replicas: number, image: string) => ({
  metadata: { name: colorName(color), labels: colorLabels(color) },
  spec: {
    replicas,
    selector: { matchLabels: colorLabels(color) },
    template: {
      metadata: { labels: colorLabels(color), annotations: {} },
      spec: { containers: [{ name: CONTAINER, image }] },
    },
  },
});

/** Short, and the same for the same template. */
function templateHash(template: Template): string {
  let hash = 0;
  for (const char of JSON.stringify(template)) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return (hash >>> 0).toString(36);
}
