import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { namesOf } from "../../environment/names.ts";
import type { Kind } from "../../release/targets/kubernetes/api/kube-api.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import type { Target } from "../../release/ports/target.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { FakeCluster } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { StoreApi } from "./store-api.ts";
import type { KubeStore } from "./store.ts";

const KINDS = ["Service", "HorizontalPodAutoscaler", "Deployment"] as const;

/** A second app beside the default one: the same objects under other names and labels. */
function addApp(store: KubeStore, app: string): void {
  for (const kind of KINDS) {
    for (const { metadata, ...rest } of store.list(kind)) {
      const { name, labels } = metadata;
      const copy = JSON.stringify({ metadata: { name, labels }, ...rest }).replaceAll("mcp-app", app);
      store.create(kind, JSON.parse(copy) as object);
    }
  }
}

describe("an app with a name, beside the default app in one namespace", () => {
  const names = namesOf("weather");
  let store: KubeStore;
  let target: Target;

  beforeEach(() => {
    ({ store } = FakeCluster.deployed());
    addApp(store, "weather");
    const api = new StoreApi(store, { names });
    const staging = () => new FakeStaging(store);
    const scaling = { minReplicas: 2, maxReplicas: 10, latencyFloorRequestsPerSecond: 1 };
    target = kubernetesTarget({ api, environment: { scaling }, staging, clock: new ManualClock() });
  });
  afterEach(() => target.close());

  const of = (app: string) =>
    KINDS.flatMap((kind: Kind) => store.list(kind).filter(({ metadata }) => metadata.name.startsWith(app)));

  it("is released by its own lease, and none of the other's objects changes", async () => {
    const before = of("mcp-app");
    const { signal } = new AbortController();
    const authority = await target.records.acquire({ holder: "a", takeOver: false, signal, waiting: () => undefined });
    await target.capacity.hold("green", 4, authority.fence);
    await target.traffic.move("blue", "green", authority.fence);

    expect(await target.traffic.live()).toBe("green");
    expect(store.get({ kind: "Service", name: "weather" })?.spec?.selector).toMatchObject({
      "mcp-bluegreen/color": "green",
    });
    expect(store.get({ kind: "HorizontalPodAutoscaler", name: "weather-green" })?.spec).toMatchObject({
      minReplicas: 4,
    });
    expect(store.list("Lease").map(({ metadata }) => metadata.name)).toEqual(["weather-release"]);
    expect(of("mcp-app")).toEqual(before);
    await authority.release();
  });

  it("is named where a release says what keeps its pods from coming up", async () => {
    store.edit({ kind: "Deployment", name: "weather-green" }, (draft) => {
      draft.status = { conditions: [{ type: "Progressing", status: "Unknown", reason: "DeploymentPaused" }] };
    });
    const { problems } = await target.capacity.color("green");

    expect(JSON.stringify(problems)).toContain("Deployment 'weather-green' is paused");
  });
});
