import { setTimeout as sleep } from "node:timers/promises";
import { CONTAINER, COLOR_LABEL, EPOCH_ANNOTATION, MARK_ANNOTATION } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE } from "../default-names.ts";
import { other, type Color } from "../../environment/color.ts";
import { Displaced, TrafficMoved } from "../../release/errors.ts";
import type { Fence } from "../../release/ports/fence.ts";
import type { ChangedReference, PendingChange, Stage, Staging } from "../../release/ports/staging.ts";
import { pendingChanges } from "../../release/targets/kubernetes/staging/pending.ts";
import { changedReferences } from "../../release/targets/kubernetes/staging/references.ts";
import { StoreApi } from "./store-api.ts";
import type { KubeStore } from "./store.ts";

/**
 * What Terraform does to a cluster in a stage, without Terraform: it reads the live Service during the apply, and changes
 * the Deployment only if the color is idle and the epoch is that of the plan.
 */
export class FakeStaging implements Staging {
  readonly #store: KubeStore;
  /** Runs between the read of the live Service and the change of the Deployment. */
  readonly #between: () => Promise<void>;

  constructor(store: KubeStore, between: () => Promise<void> = () => sleep(0)) {
    this.#store = store;
    this.#between = between;
  }

  async stage({ color, image, mark }: Stage, { epoch }: Fence, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const live = this.#store.get({ kind: "Service", name: LIVE_SERVICE });
    if (live?.spec?.selector?.[COLOR_LABEL] === color) throw new TrafficMoved(other(color), color);
    if (live?.metadata.annotations?.[EPOCH_ANNOTATION] !== String(epoch)) {
      throw new Displaced("Resource precondition failed: the live Service has another epoch");
    }
    await this.#between();
    const staged = this.#store.get({ kind: "Deployment", name: colorName(color) })?.spec?.template;
    if (staged?.metadata.annotations?.[MARK_ANNOTATION] === mark) return;
    stageDeployment(this.#store, color, mark, image);
  }

  async changed(color: Color): Promise<readonly ChangedReference[]> {
    return await changedReferences(new StoreApi(this.#store), color);
  }

  async pending(live: Color): Promise<readonly PendingChange[]> {
    return await pendingChanges(new StoreApi(this.#store), live);
  }
}

export function stageDeployment(store: KubeStore, color: Color, mark: string | undefined, image: string): void {
  store.edit({ kind: "Deployment", name: colorName(color) }, (draft) => {
    const { template } = draft.spec;
    template.metadata.annotations = mark === undefined ? {} : { [MARK_ANNOTATION]: mark };
    template.spec.containers = [{ name: CONTAINER, image }];
  });
}
