import { describe, expect, it } from "@jest/globals";
import { UsageError } from "../../release/errors.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { LIVE_SERVICE } from "../default-names.ts";
import { acquire } from "../release/contract/world.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { FakeCluster } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { StoreApi } from "./store-api.ts";

const SCALING = { minReplicas: 2, maxReplicas: 10, latencyFloorRequestsPerSecond: 1 };

function targetOf(name: string, { store }: FakeCluster) {
  const staging = () => new FakeStaging(store);
  return kubernetesTarget({
    api: new StoreApi(store),
    environment: { name, scaling: SCALING },
    staging,
    clock: new ManualClock(),
  });
}

function ownedBy(environment: string): FakeCluster {
  const cluster = FakeCluster.deployed();
  cluster.store.edit({ kind: "Service", name: LIVE_SERVICE }, ({ metadata }) => {
    metadata.labels = { ...metadata.labels, "mcp-bluegreen/environment": environment };
  });
  return cluster;
}

describe("a namespace with the objects of another environment", () => {
  it("is refused before anything is written there, the lease included", async () => {
    const cluster = ownedBy("production");
    const changes: string[] = [];
    cluster.store.onChange(({ kind }) => changes.push(kind));
    const target = targetOf("local", cluster);
    const refusal =
      "'mcp-app' in namespace 'mcp' belongs to the environment 'production', not to 'local': name that environment";

    await expect(target.traffic.live()).rejects.toThrow(UsageError);
    await expect(target.traffic.live()).rejects.toThrow(refusal);
    await expect(acquire(target, "a", true)).rejects.toThrow(refusal);
    expect(changes).toEqual([]);
  });

  it.each(["its own", "one that was deployed without a label"])("is accepted if it is %s", async (which) => {
    const cluster = which === "its own" ? ownedBy("local") : FakeCluster.deployed();
    const target = targetOf("local", cluster);
    const authority = await acquire(target, "a", true);

    expect(await target.traffic.live()).toBe("blue");
    await authority.release();
  });
});
