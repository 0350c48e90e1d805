import { beforeEach, describe, expect, it } from "@jest/globals";
import { COLOR_LABEL, EPOCH_ANNOTATION, RECORD_ANNOTATION } from "../../environment/names.ts";
import { colorName, LIVE_SERVICE, RELEASE_LEASE } from "../default-names.ts";
import type { ReleaseResult } from "../../release/events.ts";
import type { Gate } from "../../release/gates/gate.ts";
import { runRelease, type Command } from "../../release/run-release.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { quickEnvironment } from "../release/memory-target.ts";
import { FakeCluster } from "./cluster.ts";
import { deniedByPolicy, missingRight } from "./failures.ts";
import { FakeStaging } from "./fake-staging.ts";
import { openClient } from "./open-client.ts";
import { KubeServer } from "./server.ts";
import { StoreApi } from "./store-api.ts";
import { SCALING } from "./world.ts";

const RUN: Command = { do: "run", candidate: { image: "app:2", version: "2" } };
const LIVE = { kind: "Service", name: LIVE_SERVICE } as const;

const passes: Gate = {
  name: "passes",
  phases: ["verify", "bake"],
  check: () => Promise.resolve({ outcome: "pass", evidence: "as told" }),
};

let cluster: FakeCluster;
let afterEachSecond: () => void;

beforeEach(() => {
  cluster = FakeCluster.deployed();
  afterEachSecond = () => undefined;
});

/** Seconds pass as fast as they can. */
const quick = quickEnvironment({ durationSeconds: 30, intervalSeconds: 5, holdTimeoutSeconds: 300 });
const ENVIRONMENT = { ...quick, scaling: SCALING, release: { ...quick.release, stageTimeoutSeconds: 60 } };

interface Setup {
  readonly command?: Command;
  readonly takeOver?: boolean;
  readonly gates?: readonly Gate[];
  readonly killed?: () => boolean;
}

/** A release with the real engine, by a process with this client, while the controllers act every second. */
async function release(
  api: StoreApi,
  { command = RUN, takeOver, gates = [passes], killed = () => false }: Setup = {},
): Promise<ReleaseResult> {
  const environment = ENVIRONMENT;
  const clock = new ManualClock();
  const staging = () => new FakeStaging(cluster.store);
  const target = kubernetesTarget({ api, environment, staging, clock });
  const state = { running: true };
  const result = runRelease({ target, environment, command, takeOver, gates, clock }).finally(() => {
    state.running = false;
  });
  while (state.running) {
    if (killed()) throw new Error("the process was killed");
    await clock.pass(1000);
    cluster.step();
    afterEachSecond();
  }
  return await result;
}

const live = () => cluster.store.get(LIVE)?.spec?.selector?.[COLOR_LABEL];

const minimums = () =>
  (["blue", "green"] as const).map(
    (color) => cluster.store.get({ kind: "HorizontalPodAutoscaler", name: colorName(color) })?.spec?.minReplicas,
  );

describe("a release on a Kubernetes cluster", () => {
  it("moves the traffic, gives the minimums back and leaves a history, and Events for people", async () => {
    const before = minimums();
    const api = new StoreApi(cluster.store);
    const { result } = await release(api);
    const { records } = kubernetesTarget({
      api,
      environment: ENVIRONMENT,
      staging: () => new FakeStaging(cluster.store),
    });

    expect({ result, live: live(), minimums: minimums() }).toEqual({
      result: "released",
      live: "green",
      minimums: before,
    });
    expect(await records.history()).toMatchObject([{ version: "2", outcome: "released" }]);
    expect(cluster.store.list("Event").map((event) => (event as unknown as { reason: string }).reason)).toEqual(
      expect.arrayContaining(["Verify", "Promote", "Bake", "Retire"]),
    );
  });

  it("goes on with its bake after an outage of the API server of a minute", async () => {
    const api = new StoreApi(cluster.store);
    let seconds = 0;
    afterEachSecond = () => {
      if (live() !== "green") return;
      seconds += 1;
      if (seconds === 3) api.faults.add({ does: "unreachable", times: Infinity });
      if (seconds === 63) api.faults.clear();
    };
    const { result } = await release(api);

    expect(seconds).toBeGreaterThan(63 + 20);
    expect({ result, live: live() }).toEqual({ result: "released", live: "green" });
  });

  it("pauses with the old color live when a policy denies the switch, and names the policy", async () => {
    const api = new StoreApi(cluster.store);
    api.faults.add({ verb: "patch", ...LIVE, does: deniedByPolicy, after: 1, times: Infinity });
    const { result, reason } = await release(api);

    expect({ result, live: live() }).toEqual({ result: "paused-old-live", live: "blue" });
    expect(reason).toContain("denied request: no switch on fridays");
  });

  it("aborts within seconds when its image cannot be pulled, with the registry's words", async () => {
    cluster.script = ({ status }) => {
      const waiting = { reason: "ImagePullBackOff", message: "app:2: not found" };
      status.conditions = [{ type: "Ready", status: "False" }];
      status.containerStatuses = [{ name: "app", restartCount: 0, state: { waiting } }];
    };
    const { result, reason } = await release(new StoreApi(cluster.store));

    expect({ result, live: live() }).toEqual({ result: "aborted", live: "blue" });
    expect(reason).toContain("ImagePullBackOff: app:2: not found");
  });

  it("does not start without a right that it needs, and names the right", async () => {
    const api = new StoreApi(cluster.store);
    api.faults.add({ verb: "create", kind: "Lease", does: missingRight, times: Infinity });

    expect(await release(api)).toMatchObject({
      result: "not-started",
      reason: expect.stringContaining("allows 'create' on 'leases'") as unknown,
    });
  });

  it("ends without another change when a second command takes over in its bake", async () => {
    const api = new StoreApi(cluster.store);
    let other: Promise<ReleaseResult> | undefined;
    const gates: Gate[] = [
      {
        ...passes,
        async check({ snapshot }) {
          if (snapshot.live === "green" && other === undefined) {
            other = release(new StoreApi(cluster.store), { command: { do: "rollback" }, takeOver: true });
            await other;
          }
          return { outcome: "pass", evidence: "as told" };
        },
      },
    ];
    const { result } = await release(api, { gates });

    expect({ result, other: (await other)?.result, live: live() }).toEqual({
      result: "lease-held",
      other: "done",
      live: "blue",
    });
  });

  it("ends within a second of Ctrl-C while the API server does not answer", async () => {
    const server = await KubeServer.start(cluster.store);
    const { api, close } = openClient(server.url, cluster.store.namespace);
    const staging = () => new FakeStaging(cluster.store);
    const target = kubernetesTarget({ api, environment: ENVIRONMENT, staging });
    const interrupted = new AbortController();
    let interruptedAt = Infinity;
    const silences: Gate = {
      ...passes,
      async check(context) {
        if (context.snapshot.live === "green") {
          server.faults.add({ does: "hang", times: Infinity });
          setTimeout(() => {
            interruptedAt = performance.now();
            interrupted.abort(new Error("interrupted by SIGINT"));
          }, 300);
        }
        return await passes.check(context);
      },
    };
    const controllers = setInterval(() => {
      cluster.step();
    }, 20);
    const bake = { ...ENVIRONMENT.release.bake, intervalSeconds: 0.05 };
    const environment = { ...ENVIRONMENT, release: { ...ENVIRONMENT.release, bake } };
    const { signal } = interrupted;
    const { result } = await runRelease({ target, environment, command: RUN, gates: [silences], signal });
    const tookMs = performance.now() - interruptedAt;
    clearInterval(controllers);
    close();
    await server.close();

    expect(result).toBe("paused-new-live");
    expect(tookMs).toBeLessThan(1000);
  }, 30_000);

  it("is finished by the next command after a kill before any of its requests", async () => {
    const requests = await countRequests();
    expect(requests).toBeGreaterThan(50);
    for (let kill = 1; kill < requests; kill++) {
      cluster = FakeCluster.deployed();
      await killedAt(kill);
      const resumed = cluster.store.get({ kind: "Lease", name: RELEASE_LEASE })?.metadata.annotations?.[
        RECORD_ANNOTATION
      ];
      // Its last request had written the end of the release.
      if (resumed?.includes('"phase":"ended"')) continue;
      const command: Command = resumed === undefined ? RUN : { do: "run" };
      const { result } = await release(new StoreApi(cluster.store), { command, takeOver: true });

      expect({ kill, result, live: live() }).toEqual({
        kill,
        result: expect.stringMatching(/^released$|^done$/) as unknown,
        live: "green",
      });
      expect(minimums()).toEqual([2, 2]);
      expect(cluster.store.get(LIVE)?.metadata.annotations?.[EPOCH_ANNOTATION]).toMatch(/^\d+$/);
    }
  }, 60_000);
});

async function countRequests(): Promise<number> {
  const api = new StoreApi(cluster.store);
  await release(api);
  return api.requests.length;
}

/** A process that sends its first requests, and then nothing more. */
async function killedAt(count: number): Promise<void> {
  const api = new StoreApi(cluster.store);
  let sent = 0;
  api.before = () => (++sent > count ? new Promise<void>(() => undefined) : undefined);
  const killed = await release(api, { killed: () => sent > count }).then(
    () => false,
    (error: unknown) => String(error).includes("the process was killed"),
  );
  // The renewals of the lease make the number of requests differ by one or two.
  if (!killed) expect(live()).toBe("green");
}
