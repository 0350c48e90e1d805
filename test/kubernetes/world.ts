import { colorName, COLOR_LABEL, LIVE_SERVICE } from "../../environments/names.ts";
import type { Color } from "../../release/color.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import type { Target } from "../../release/ports/target.ts";
import type { AnsweringWorld } from "../release/contract/probe.ts";
import type { World } from "../release/contract/world.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { FakeCluster } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { PodServers } from "./pod-servers.ts";
import { StoreApi } from "./store-api.ts";
import type { KubeStore } from "./store.ts";

export const SCALING = {
  minReplicas: 2,
  maxReplicas: 10,
  requestsPerPod: 10,
  latencyObjectiveMs: 500,
  latencyFloorRequestsPerSecond: 1,
};

export interface StoreWorld extends World {
  readonly cluster: FakeCluster;
  readonly store: KubeStore;
  readonly clock: ManualClock;
  /** The client of a target that `open` returned. */
  apiOf(target: Target): StoreApi;
}

/** A world on a store, without HTTP. */
export function storeWorld(ports?: ReadonlyMap<string, number>, cluster = FakeCluster.deployed()): StoreWorld {
  const { store } = cluster;
  const clock = new ManualClock();
  const apis = new Map<Target, StoreApi>();
  const targets: Target[] = [];
  return {
    cluster,
    store,
    clock,
    image: "app:2",
    open() {
      const api = new StoreApi(store, { ports });
      const staging = () => new FakeStaging(store);
      const target = kubernetesTarget({ api, environment: { scaling: SCALING }, staging, clock });
      apis.set(target, api);
      targets.push(target);
      return target;
    },
    apiOf: (target) => apis.get(target) ?? fail(),
    pass: (ms) => clock.pass(ms),
    settle: () => {
      cluster.step();
    },
    moveByOperator: (to) => {
      moveByOperator(store, to);
    },
    kill(target) {
      (apis.get(target) ?? fail()).before = () => new Promise(() => undefined);
    },
    async close() {
      await Promise.all(targets.map((target) => target.close()));
    },
  };
}

/** The same, with pods that answer. */
export async function answeringStoreWorld(): Promise<AnsweringWorld & StoreWorld> {
  const cluster = FakeCluster.deployed();
  const servers = await PodServers.start(cluster);
  const world = storeWorld(servers.ports, cluster);
  const firstOf = (color: Color) => cluster.pods(color)[0]?.metadata.name ?? "";
  return {
    ...world,
    call: () => servers.call(firstOf("blue")),
    silence: () => servers.stop(firstOf("blue")),
    stopPods(color) {
      cluster.store.edit({ kind: "Deployment", name: colorName(color) }, (draft) => {
        draft.spec.replicas = 0;
      });
      cluster.step();
    },
    async close() {
      await world.close();
      await servers.close();
    },
  };
}

export function moveByOperator(store: KubeStore, to: Color): void {
  store.edit({ kind: "Service", name: LIVE_SERVICE }, (draft) => {
    draft.spec.selector[COLOR_LABEL] = to;
  });
}

function fail(): never {
  throw new Error("this target belongs to another world");
}
