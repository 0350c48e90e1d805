import { beforeEach, describe, expect, it } from "@jest/globals";
import { colorName } from "../default-names.ts";
import type { Target } from "../../release/ports/target.ts";
import { acquire } from "../release/contract/world.ts";
import { ref, type PodScript } from "./cluster.ts";
import { missingRight } from "./failures.ts";
import { stageDeployment } from "./fake-staging.ts";
import type { Draft } from "./store.ts";
import { storeWorld, type ClusterWorld } from "./world.ts";

const GREEN = { kind: "Deployment", name: colorName("green") } as const;

let world: ClusterWorld;
let target: Target;

beforeEach(() => {
  world = storeWorld();
  target = world.open();
});

/** Changes the first pod of green. */
function changePod(change: (draft: Draft) => void): string {
  const [pod] = world.cluster.pods("green");
  if (pod === undefined) throw new Error("green has no pods");
  world.store.edit(ref(pod), change);
  return pod.metadata.name;
}

/** Stages green with pods that do as the script says. */
function stage(script: PodScript): void {
  world.cluster.script = script;
  stageDeployment(world.store, "green", "release-1", "app:2");
  world.cluster.step();
}

const waiting =
  (reason: string, message?: string): PodScript =>
  ({ status }) => {
    status.phase = "Pending";
    status.conditions = [{ type: "Ready", status: "False" }];
    status.containerStatuses = [{ name: "app", restartCount: 0, state: { waiting: { reason, message } } }];
  };

describe("the pods of a color", () => {
  it.each(["Failed", "Succeeded"])(
    "are without one that has ended in phase %s, as after an eviction",
    async (phase) => {
      const name = changePod(({ status }) => Object.assign(status, { phase, reason: "Evicted" }));
      world.cluster.step();
      const { pods } = await target.capacity.color("green");

      expect(pods).toHaveLength(2);
      expect(pods.map((pod) => pod.name)).not.toContain(name);
    },
  );

  it("are without one that is being deleted", async () => {
    changePod(({ metadata }) => {
      metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    });

    expect((await target.capacity.color("green")).pods).toHaveLength(1);
  });

  it("are current although an admission webhook rewrote their image", async () => {
    stage(({ status }) => {
      status.rewritten = true;
    });
    for (const pod of world.cluster.pods("green")) {
      world.store.edit(ref(pod), ({ spec }) => {
        Object.assign(spec, { containers: [{ name: "app", image: "mirror.example.com/app:2" }] });
      });
    }
    const { pods, rollingOut } = await target.capacity.color("green");

    expect(pods.map(({ current }) => current)).toEqual([true, true]);
    expect(rollingOut).toBe(false);
  });

  it("are of an earlier stage by their mark while the rollout goes on", async () => {
    stageDeployment(world.store, "green", "release-1", "app:2");
    world.cluster.step();
    stageDeployment(world.store, "green", "release-2", "app:2");
    const { pods, mark, rollingOut } = await target.capacity.color("green");

    expect({ mark, rollingOut, current: pods.map(({ current }) => current) }).toEqual({
      mark: "release-2",
      rollingOut: true,
      current: [false, false],
    });
  });

  it("are of the newest ReplicaSet where the Deployment has no mark", async () => {
    stageDeployment(world.store, "green", undefined, "app:3");
    world.cluster.step();
    // An old pod remains while the rollout goes on.
    const [own] = world.cluster.pods("green");
    const [old] = world.store.list("ReplicaSet").filter(({ metadata }) => metadata.name.startsWith("mcp-app-green"));
    world.store.create("Pod", {
      metadata: { name: "old", labels: { ...own?.metadata.labels, ...old?.metadata.labels } },
      status: { phase: "Running" },
    });
    world.store.edit(GREEN, ({ status }) => Object.assign(status, { replicas: 3, updatedReplicas: 2 }));
    const { pods, mark, rollingOut } = await target.capacity.color("green");

    expect(mark).toBeUndefined();
    expect(rollingOut).toBe(true);
    expect(pods.filter(({ current }) => !current).map(({ name }) => name)).toEqual(["old"]);
  });

  it("count restarts since the pod was created, and a new stage starts from none", async () => {
    changePod(({ status }) => {
      status.containerStatuses = [{ name: "app", restartCount: 3 }];
    });
    const restarts = async () => (await target.capacity.color("green")).pods.map((pod) => pod.restarts);
    expect(Math.max(...(await restarts()))).toBe(3);

    stageDeployment(world.store, "green", "release-1", "registry/app:1");
    world.cluster.step();
    expect(await restarts()).toEqual([0, 0]);
  });

  it("tell a node that does not report from a pod that is not ready by itself", async () => {
    const conditions = (reason?: string, containers = "True") => [
      { type: "ContainersReady", status: containers },
      { type: "Ready", status: "False", ...(reason && { reason }) },
    ];
    const silent = async () => (await target.capacity.color("green")).pods.filter((pod) => pod.nodeSilent).length;
    for (const [wanted, given] of [
      [1, conditions()],
      [0, conditions("ContainersNotReady", "False")],
      [0, conditions("ReadinessGatesNotReady")],
      [0, [{ type: "Ready", status: "True" }]],
    ] as const) {
      changePod(({ status }) => Object.assign(status, { conditions: given }));
      expect(await silent()).toBe(wanted);
    }
  });

  it("are held at no more than the environment's maximum, which the API would refuse", async () => {
    const { fence } = await acquire(target);
    await target.capacity.hold("green", 1000, fence);
    const { minimum, maximum } = await target.capacity.color("green");

    expect(minimum).toBe(maximum);
  });

  it("are none, and no error, before the first deploy of a color", async () => {
    world.store.remove(GREEN);
    for (const pod of world.cluster.pods("green")) world.store.remove(ref(pod));

    expect(await target.capacity.color("green")).toEqual({ desired: 0, minimum: 0, pods: [] });
  });

  it("cost at most two requests a second to wait for", async () => {
    stage(waiting("ContainerCreating"));
    const { requests } = world.apiOf(target);
    const before = requests.length;
    const seconds = 60;
    for (let ms = 0; ms < seconds * 1000; ms += target.capacity.checkEveryMs) {
      await target.capacity.color("green");
      await world.pass(target.capacity.checkEveryMs);
    }

    expect((requests.length - before) / seconds).toBeLessThanOrEqual(2);
  });
});

describe("a color with no replicas", () => {
  beforeEach(() => {
    world.store.edit(GREEN, ({ spec }) => {
      spec.replicas = 0;
    });
    world.cluster.step();
  });

  it("is brought up by a hold, since its autoscaler is disabled", async () => {
    const { fence } = await acquire(target);
    await target.capacity.hold("green", 3, fence);
    world.cluster.step();

    expect((await target.capacity.color("green")).pods.filter(({ ready }) => ready)).toHaveLength(3);
  });

  it("stays at none when it is given back", async () => {
    const { fence } = await acquire(target);
    await target.capacity.hold("green", undefined, fence);

    expect((await target.capacity.color("green")).desired).toBe(0);
  });
});

describe("a color that does not become ready", () => {
  it.each([
    ["ErrImagePull", "registry/app:2: not found", true],
    ["ImagePullBackOff", 'Back-off pulling image "registry/app:2"', true],
    ["InvalidImageName", "couldn't parse image name", true],
    ["CreateContainerConfigError", 'secret "mcp-redis-url-r2" not found', true],
    ["CrashLoopBackOff", "back-off 10s restarting failed container", false],
  ])("tells %s with the container's message at once", async (reason, message, final) => {
    stage(waiting(reason, message));
    const [pod] = world.cluster.pods("green");
    const { problems } = await target.capacity.color("green");

    expect(problems?.[0]).toEqual({ what: `${pod?.metadata.name}: ${reason}: ${message}`, final });
  });

  it("tells how a container ended that is restarted again and again", async () => {
    stage(({ status }) => {
      status.conditions = [{ type: "Ready", status: "False" }];
      const lastState = { terminated: { reason: "Error", exitCode: 78 } };
      const state = { waiting: { reason: "CrashLoopBackOff" } };
      status.containerStatuses = [{ name: "app", restartCount: 4, state, lastState }];
    });

    expect((await target.capacity.color("green")).problems?.[0]?.what).toMatch(
      /CrashLoopBackOff: Error with exit code 78$/,
    );
  });

  it("tells that there is no room for a pod", async () => {
    stage(({ status }) => {
      status.phase = "Pending";
      const message = "0/3 nodes are available: 3 Insufficient cpu.";
      status.conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
      status.containerStatuses = undefined;
    });
    const { problems } = await target.capacity.color("green");

    expect(problems?.[0]?.what).toContain("Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.");
    expect(problems?.[0]?.final).toBe(false);
  });

  it("tells a quota that keeps pods from being created, and that waiting cannot help", async () => {
    world.store.edit(GREEN, ({ status }) => {
      const message = 'pods "mcp-app-green-x" is forbidden: exceeded quota: small, requested: pods=1';
      status.conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }];
    });

    expect((await target.capacity.color("green")).problems).toEqual([
      { what: expect.stringContaining("exceeded quota: small") as unknown, final: true },
    ]);
  });

  describe("because a probe fails", () => {
    beforeEach(() => {
      stage(({ status }) => {
        status.conditions = [{ type: "Ready", status: "False" }];
      });
      const [pod] = world.cluster.pods("green");
      for (const [lastTimestamp, message] of [
        ["2026-01-01T00:00:09Z", "Readiness probe failed: HTTP probe failed with statuscode: 503"],
        ["2026-01-01T00:00:01Z", "Readiness probe failed: connection refused"],
      ]) {
        const involvedObject = { kind: "Pod", name: pod?.metadata.name };
        const metadata = { generateName: "event-" };
        world.store.create("Event", {
          metadata,
          involvedObject,
          type: "Warning",
          reason: "Unhealthy",
          message,
          lastTimestamp,
        });
      }
    });

    it("tells the last Event's text, once a pod has not been ready for some seconds", async () => {
      expect((await target.capacity.color("green")).problems).toEqual([]);
      await world.pass(6000);
      const { problems } = await target.capacity.color("green");

      expect(problems).toEqual([
        {
          what: expect.stringMatching(/not ready: Readiness probe failed: .*statuscode: 503$/) as unknown,
          final: false,
        },
      ]);
    });

    it("goes on without the right to read Events", async () => {
      world.apiOf(target).faults.add({ kind: "Event", does: missingRight, times: Infinity });
      await target.capacity.color("green");
      await world.pass(6000);

      expect((await target.capacity.color("green")).problems?.[0]?.what).toMatch(/not ready$/);
    });
  });

  it("tells no problem of pods that an earlier stage left", async () => {
    stage(waiting("ImagePullBackOff"));
    stageDeployment(world.store, "green", "release-2", "app:3");

    expect((await target.capacity.color("green")).problems).toEqual([]);
  });
});
