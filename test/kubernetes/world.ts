import { APP, COLOR_LABEL, namesOf, WANTED_SETTINGS_KEY } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE, WANTED_SETTINGS } from "../default-names.ts";
import type { Color } from "../../environment/color.ts";
import { JobMigrations } from "../../release/targets/kubernetes/migration/job-migrations.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import type { Target } from "../../release/ports/target.ts";
import type { Clock } from "../../release/ports/clock.ts";
import type { Staging } from "../../release/ports/staging.ts";
import type { KubeApi } from "../../release/targets/kubernetes/api/kube-api.ts";
import type { Fences } from "../../release/targets/kubernetes/fences.ts";
import type { AnsweringWorld } from "../release/contract/probe.ts";
import type { MigratingWorld } from "../release/contract/migrations.ts";
import type { StagingWorld } from "../release/contract/staging.ts";
import { ManualClock } from "../release/manual-clock.ts";
import type { Client } from "./client.ts";
import { FakeCluster } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { HttpClient } from "./http-client.ts";
import { PodServers } from "./pod-servers.ts";
import { KubeServer } from "./server.ts";
import { StoreApi } from "./store-api.ts";
import type { KubeStore } from "./store.ts";

export const SCALING = {
  minReplicas: 2,
  maxReplicas: 10,
  requestsPerPod: 10,
  latencyObjectiveMs: 500,
  latencyFloorRequestsPerSecond: 1,
};

export interface ClusterWorld extends StagingWorld {
  readonly cluster: FakeCluster;
  readonly store: KubeStore;
  readonly clock: ManualClock;
  /** The client of a target that `open` returned. */
  apiOf(target: Target): Client;
}

export type AnsweringClusterWorld = ClusterWorld & AnsweringWorld;

type OpenStaging = (api: KubeApi, fences: Fences, clock: Clock) => Staging;

interface WorldOptions {
  readonly cluster: FakeCluster;
  readonly connect: () => Client;
  /** Whether the environment has a migration. @default false */
  readonly migrating?: boolean;
  /** @default what Terraform does, without Terraform */
  readonly openStaging?: OpenStaging;
  readonly close?: () => Promise<void>;
}

/** A world on a store, without HTTP. */
export function storeWorld(cluster = FakeCluster.deployed(), openStaging?: OpenStaging): ClusterWorld {
  return clusterWorld({ cluster, connect: () => new StoreApi(cluster.store), ...(openStaging && { openStaging }) });
}

const MIGRATION = { command: ["migrate"], args: ["--up"], timeoutSeconds: 5, ttlSeconds: 60 };

/** What a synth says of pods, as far as a migration needs it. */
export const POD_SETTINGS = { env: [{ name: "A", value: "1" }], pod: { serviceAccountName: "mcp-app" } };

/** An environment with a migration, without HTTP. */
export function migratingStoreWorld(): MigratingWorld & ClusterWorld {
  const cluster = FakeCluster.deployed();
  return migratingWorld({ cluster, connect: () => new StoreApi(cluster.store) });
}

/** The same over HTTP. */
export async function migratingHttpWorld(): Promise<MigratingWorld & ClusterWorld> {
  const cluster = FakeCluster.deployed();
  const server = await KubeServer.start(cluster.store);
  const connect = () => new HttpClient(server, cluster.store.namespace);
  return migratingWorld({ cluster, connect, close: () => server.close() });
}

function migratingWorld(options: WorldOptions): MigratingWorld & ClusterWorld {
  const { jobs } = options.cluster;
  const world = clusterWorld({ ...options, migrating: true });
  const jobOf = (mark: string) => namesOf(APP).migration(mark);
  return {
    ...world,
    starts: (mark) => jobs.starts(jobOf(mark)),
    finish(mark, outcome, printed) {
      jobs.finish(jobOf(mark), outcome, printed);
    },
  };
}

/** The same, with pods that answer. */
export async function answeringStoreWorld(): Promise<AnsweringClusterWorld> {
  const cluster = FakeCluster.deployed();
  const pods = await PodServers.start(cluster);
  const connect = () => new StoreApi(cluster.store, { ports: pods.ports });
  return answering(pods, { cluster, connect });
}

/** A world of which every client asks one API server over HTTP. */
export async function httpWorld(): Promise<AnsweringClusterWorld> {
  const cluster = FakeCluster.deployed();
  const pods = await PodServers.start(cluster);
  const server = await KubeServer.start(cluster.store, { ports: pods.ports });
  const connect = () => new HttpClient(server, cluster.store.namespace);
  return answering(pods, { cluster, connect, close: () => server.close() });
}

function clusterWorld({ cluster, connect, openStaging, close, migrating = false }: WorldOptions): ClusterWorld {
  const { store } = cluster;
  const clients = new Map<Target, Client>();
  const settled = async () => {
    // What one client has read another one may wait for.
    for (const client of clients.values()) await client.settled();
    for (const client of clients.values()) await client.settled();
  };
  const clock = new ManualClock(0, settled);
  const apiOf = (target: Target) => {
    const client = clients.get(target);
    if (client === undefined) throw new Error("this target belongs to another world");
    return client;
  };
  return {
    cluster,
    store,
    clock,
    image: "app:2",
    apiOf,
    open() {
      const api = connect();
      const staging = (fences: Fences) => openStaging?.(api, fences, clock) ?? new FakeStaging(store);
      const migrations = (fences: Fences) =>
        new JobMigrations({ api, fences, clock, migration: MIGRATION, settings: () => Promise.resolve(POD_SETTINGS) });
      const environment = { scaling: SCALING };
      const target = kubernetesTarget({ api, environment, staging, clock, ...(migrating && { migrations }) });
      clients.set(target, api);
      return target;
    },
    pass: (ms) => clock.pass(ms),
    settle: () => {
      cluster.step();
    },
    moveByOperator: (to) => {
      moveByOperator(store, to);
    },
    want(setting, value) {
      const data = { [WANTED_SETTINGS_KEY]: JSON.stringify({ env: [{ name: setting, value }] }) };
      store.remove({ kind: "ConfigMap", name: WANTED_SETTINGS });
      store.create("ConfigMap", { metadata: { name: WANTED_SETTINGS }, data });
    },
    kill(target) {
      apiOf(target).before = () => new Promise(() => undefined);
    },
    async close() {
      for (const [target, client] of clients) {
        await target.close();
        await client.close();
      }
      await close?.();
    },
  };
}

function answering(pods: PodServers, options: WorldOptions): AnsweringClusterWorld {
  const { cluster } = options;
  const world = clusterWorld(options);
  const firstOf = (color: Color) => cluster.pods(color)[0]?.metadata.name ?? "";
  return {
    ...world,
    call: () => pods.call(firstOf("blue")),
    silence: () => pods.stop(firstOf("blue")),
    stopPods(color) {
      cluster.store.edit({ kind: "Deployment", name: colorName(color) }, ({ spec }) => {
        spec.replicas = 0;
      });
      cluster.step();
    },
    async close() {
      await world.close();
      await pods.close();
    },
  };
}

export function moveByOperator(store: KubeStore, to: Color): void {
  store.edit({ kind: "Service", name: LIVE_SERVICE }, (draft) => {
    draft.spec.selector[COLOR_LABEL] = to;
  });
}
