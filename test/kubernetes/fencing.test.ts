import { beforeEach, describe, expect, it } from "@jest/globals";
import { EPOCH_ANNOTATION } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE, PREVIEW_SERVICE, RELEASE_LEASE } from "../default-names.ts";
import { Displaced, StateChanged, UsageError } from "../../release/errors.ts";
import type { ObjectRef } from "../../release/targets/kubernetes/api/kube-api.ts";
import { acquire } from "../release/contract/world.ts";
import { FakeCluster } from "./cluster.ts";
import type { Subject } from "./failures.ts";
import { storeWorld, type ClusterWorld } from "./world.ts";

const LEASE = { kind: "Lease", name: RELEASE_LEASE } as const;
const LIVE = { kind: "Service", name: LIVE_SERVICE } as const;

const OBJECTS: readonly ObjectRef[] = [
  LIVE,
  { kind: "Service", name: PREVIEW_SERVICE },
  { kind: "HorizontalPodAutoscaler", name: colorName("blue") },
  { kind: "HorizontalPodAutoscaler", name: colorName("green") },
  { kind: "Deployment", name: colorName("blue") },
  { kind: "Deployment", name: colorName("green") },
];

let world: ClusterWorld;

beforeEach(() => {
  world = storeWorld();
});

const fenceOf = (object: ObjectRef) => world.store.get(object)?.metadata.annotations?.[EPOCH_ANNOTATION];

const setFence = (object: ObjectRef, epoch: string) => {
  world.store.edit(object, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [EPOCH_ANNOTATION]: epoch };
  });
};

/** A person or a controller deletes an object and creates it again, without the fence. */
function replace(object: ObjectRef): void {
  const found = world.store.get(object);
  world.store.remove(object);
  world.store.create(object.kind, { metadata: { name: object.name }, spec: found?.spec });
}

describe("taking the lease", () => {
  it("fences every object that a release changes, also those that never had an annotation", async () => {
    const { fence } = await acquire(world.open());

    expect(OBJECTS.map(fenceOf)).toEqual(OBJECTS.map(() => String(fence.epoch)));
  });

  it("keeps the annotations of others", async () => {
    world.store.edit(LIVE, ({ metadata }) => {
      metadata.annotations = { "cloud.example.com/neg": "yes" };
    });
    await acquire(world.open());

    expect(world.store.get(LIVE)?.metadata.annotations).toMatchObject({ "cloud.example.com/neg": "yes" });
  });

  it("exceeds every fence after the lease was deleted, so that no earlier holder can write", async () => {
    const first = world.open();
    const { fence } = await acquire(first);
    world.store.remove(LEASE);
    const second = await acquire(world.open(), "second", true);

    expect(second.fence.epoch).toBeGreaterThan(fence.epoch);
    await expect(first.traffic.move("blue", "green", fence)).rejects.toThrow(Displaced);
  });

  it.each(OBJECTS)("exceeds the fence of $kind $name alone", async (object) => {
    setFence(object, "41");

    expect((await acquire(world.open())).fence.epoch).toBe(42);
  });

  it("takes an annotation that is no number for no fence", async () => {
    setFence(LIVE, "unknown");
    const { fence } = await acquire(world.open());

    expect(fenceOf(LIVE)).toBe(String(fence.epoch));
  });

  it("fails as displaced if another one takes the lease before every object is fenced", async () => {
    const first = world.open();
    const api = world.apiOf(first);
    let fenced = 0;
    api.before = async ({ verb, kind }: Subject) => {
      if (verb !== "patch" || kind === "Lease" || ++fenced !== 3) return;
      api.before = () => undefined;
      await acquire(world.open(), "second", true);
    };

    await expect(acquire(first)).rejects.toThrow(Displaced);
    expect(new Set(OBJECTS.map(fenceOf)).size).toBe(1);
  });

  it("fails as displaced also if its last fence lands on an object that was replaced after the other one fenced it", async () => {
    const first = world.open();
    const api = world.apiOf(first);
    api.before = async ({ verb, kind, name }: Subject) => {
      if (verb !== "patch" || kind !== "Deployment" || name !== colorName("green")) return;
      api.before = () => undefined;
      await acquire(world.open(), "second", true);
      replace({ kind, name });
    };

    await expect(acquire(first)).rejects.toThrow(Displaced);
  });

  it("takes a higher number if another one fences with the same, which a deleted lease allows", async () => {
    const first = world.open();
    const api = world.apiOf(first);
    let fenced = 0;
    api.before = ({ verb, kind }: Subject) => {
      if (verb !== "patch" || kind === "Lease" || ++fenced !== 2) return;
      // As a holder would that read the fences at the same time, when there was no lease either.
      setFence({ kind: "Deployment", name: colorName("green") }, "1");
    };
    const { fence } = await acquire(first);

    expect(fence.epoch).toBe(2);
    expect(OBJECTS.map(fenceOf)).toEqual(OBJECTS.map(() => "2"));
  });

  it("creates no lease in a namespace without the environment, and says to deploy it", async () => {
    world = storeWorld(new FakeCluster());

    await expect(acquire(world.open())).rejects.toThrow(UsageError);
    expect(world.store.get(LEASE)).toBeUndefined();
  });

  it("gives the lease back if an object turns out to be missing", async () => {
    const target = world.open();
    const api = world.apiOf(target);
    api.before = ({ verb, kind }: Subject) => {
      if (verb === "create" && kind === "Lease") world.store.remove(LIVE);
    };

    await expect(acquire(target)).rejects.toThrow("there is no Service 'mcp-app'");
    expect(world.store.get(LEASE)?.spec?.holderIdentity).toBe("");
  });
});

describe("a write to an object that lost its fence", () => {
  it("fences the object again and says that it was replaced; the next try succeeds", async () => {
    const target = world.open();
    const { fence } = await acquire(target);
    replace(LIVE);

    await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(StateChanged);
    expect(fenceOf(LIVE)).toBe(String(fence.epoch));
    expect(await target.traffic.live()).toBe("blue");
    await target.traffic.move("blue", "green", fence);
    expect(await target.traffic.live()).toBe("green");
  });

  it("changes nothing if the lease has been taken over meanwhile", async () => {
    const target = world.open();
    const { fence } = await acquire(target);
    await acquire(world.open(), "second", true);
    replace(LIVE);

    await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(Displaced);
    expect(fenceOf(LIVE)).toBeUndefined();
  });

  it("changes nothing if another one takes the lease between the check and the write", async () => {
    const target = world.open();
    const { fence } = await acquire(target);
    const api = world.apiOf(target);
    replace(LIVE);
    let patches = 0;
    api.before = async ({ verb }: Subject) => {
      // The first patch fails, the second renews the lease, the third fences again.
      if (verb !== "patch" || ++patches !== 3) return;
      await acquire(world.open(), "second", true);
    };

    await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(Displaced);
    expect(await target.traffic.live()).toBe("blue");
  });

  it("is not opened by a fence that arrives after a later holder's, on an object that was replaced again", async () => {
    const target = world.open();
    const { fence } = await acquire(target);
    const api = world.apiOf(target);
    replace(LIVE);
    let patches = 0;
    api.before = async ({ verb }: Subject) => {
      if (verb !== "patch" || ++patches !== 3) return;
      await acquire(world.open(), "second", true);
      replace(LIVE);
    };

    await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(Displaced);
  });

  it("moves the traffic back although others deleted an autoscaler and the preview Service", async () => {
    world.store.remove({ kind: "HorizontalPodAutoscaler", name: colorName("green") });
    world.store.remove({ kind: "Service", name: PREVIEW_SERVICE });
    const target = world.open();
    const { fence } = await acquire(target);
    await target.traffic.move("blue", "green", fence);
    await target.capacity.hold("green", undefined, fence);

    expect(await target.traffic.live()).toBe("green");
  });

  it("says that an object was deleted", async () => {
    const target = world.open();
    const { fence } = await acquire(target);
    world.store.remove({ kind: "HorizontalPodAutoscaler", name: colorName("green") });

    await expect(target.capacity.hold("green", 4, fence)).rejects.toThrow(
      new StateChanged("could not hold green at 4 pods: HorizontalPodAutoscaler 'mcp-app-green' was deleted"),
    );
  });
});
