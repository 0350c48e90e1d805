import { describe, expect, it } from "@jest/globals";
import type { Environment } from "../../environment/environment.ts";
import { TargetUnreachable } from "../../release/errors.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { FakeCluster } from "../kubernetes/cluster.ts";
import { FakeStaging } from "../kubernetes/fake-staging.ts";
import { StoreApi } from "../kubernetes/store-api.ts";
import { carryOut, RUN } from "./a-release.ts";
import { instantClock } from "./instant-clock.ts";
import { MemoryTarget, quickEnvironment } from "./memory-target.ts";

/** An environment whose server never ends a connection. */
function keeping(changes: Partial<Environment> = {}): Environment {
  const { server, ...rest } = quickEnvironment();
  return { ...rest, server: { ...server, connections: "kept" }, ...changes };
}

/** Releases with clients that call the old color for some seconds after the release began, and no longer. */
async function releaseWith(callsForSeconds: number, environment = keeping(), target = new MemoryTarget()) {
  const clock = instantClock();
  target.callsByPod = () => {
    const calls = Math.min(clock.now() / 1000, callsForSeconds);
    return Promise.resolve({ pods: new Map([["pod-0", { buckets: new Map(), calls, errors: 0 }]]), unread: [] });
  };
  return await releaseOf(target, environment, clock);
}

async function releaseOf(target: MemoryTarget, environment: Environment, clock = instantClock()) {
  const said: string[] = [];
  const listener = (event: ReleaseEvent) => {
    if (event.type === "progress") said.push(event.message);
  };
  const { result } = await carryOut(target, RUN, { environment, clock, listener });
  return { result, said: said.join("\n"), seconds: clock.now() / 1000 };
}

describe("a release of a server that keeps connections", () => {
  it("ends pods of the old color only when no client calls them any more", async () => {
    const { result, said, seconds } = await releaseWith(20);

    expect(result).toBe("released");
    expect(said).toContain("clients still call blue over kept connections: its pods stay for up to 60 s");
    expect(said).not.toContain("may lose a call");
    expect(seconds).toBeGreaterThan(20);
    expect(seconds).toBeLessThan(40);
  });

  it("reports after the stated time what it cuts", async () => {
    const { result, said, seconds } = await releaseWith(Infinity);

    expect(result).toBe("released");
    expect(said).toMatch(/clients still called blue \(5 calls at the last look\): each of them may lose a call/);
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(70);
  });

  it("waits before a stage, too, for clients that are still on the pods that it replaces", async () => {
    const target = new MemoryTarget();
    target.colors.green = { image: "older", ready: 1 };
    const clock = instantClock();
    const stagedAt: number[] = [];
    target.before = (call) => {
      if (call === "stage") stagedAt.push(clock.now());
    };
    target.callsByPod = () => {
      const calls = Math.min(clock.now() / 1000, 12);
      return Promise.resolve({ pods: new Map([["pod-0", { buckets: new Map(), calls, errors: 0 }]]), unread: [] });
    };
    await releaseOf(target, keeping(), clock);

    expect(stagedAt).toHaveLength(1);
    expect(stagedAt[0]).toBeGreaterThan(12_000);
  });

  it("says that it cannot know of clients without metrics, and goes on", async () => {
    const target = new MemoryTarget();
    target.measurements = undefined;
    const { result, said, seconds } = await releaseOf(target, keeping());

    expect(result).toBe("released");
    expect(said).toContain(
      "whether clients still call blue over kept connections is not known: its server has no metrics",
    );
    expect(seconds).toBeLessThan(5);
  });

  it("goes on where the pods of the old color cannot be read", async () => {
    const target = new MemoryTarget();
    target.callsByPod = () => Promise.reject(new TargetUnreachable("pod-0 did not answer"));
    const { result, said } = await releaseOf(target, keeping());

    expect(result).toBe("released");
    expect(said).toContain("is not known: pod-0 did not answer");
  });

  it("does not wait where a color is chosen for each request", async () => {
    const target = new MemoryTarget();
    Object.assign(target.traffic, { byRequest: true });
    const { result, said, seconds } = await releaseWith(Infinity, keeping(), target);

    expect(result).toBe("released");
    expect(said).not.toContain("kept connections");
    expect(seconds).toBeLessThan(5);
  });

  it("is told by its target whether a color is chosen for each request", () => {
    const { store } = FakeCluster.deployed();
    const api = new StoreApi(store);
    const byRequest = (environment: Environment) =>
      kubernetesTarget({ api, environment, staging: () => new FakeStaging(store) }).traffic.byRequest;
    const { ingress } = keeping({ ingress: { host: "mcp.example.com", path: "/", annotations: {} } });

    expect(byRequest(keeping())).toBe(false);
    expect(byRequest(keeping({ ingress }))).toBe(true);
  });

  it.each([
    ["that ends its connections itself", quickEnvironment()],
    ["that is told not to", keeping({ release: { ...quickEnvironment().release, keptConnectionsSeconds: 0 } })],
  ])("does not wait for a server %s", async (_, environment) => {
    const { result, seconds } = await releaseWith(Infinity, environment);

    expect(result).toBe("released");
    expect(seconds).toBeLessThan(5);
  });
});
