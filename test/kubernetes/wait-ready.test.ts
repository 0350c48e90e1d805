import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { COLOR_LABEL } from "../../environment/names.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { waitUntilReady } from "../../release/wait-ready.ts";
import { colorName } from "../default-names.ts";
import { startAsIs } from "../release/cli/a-command.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { deployEnvironment, FakeCluster, ref, type PodScript } from "./cluster.ts";
import { FakeStaging } from "./fake-staging.ts";
import { KubeServer } from "./server.ts";
import { StoreApi } from "./store-api.ts";
import { KubeStore } from "./store.ts";

const NAME = "local";
const SCALING = { minReplicas: 2, maxReplicas: 10, latencyFloorRequestsPerSecond: 1 };

/** Green's pods do as the script says, and blue's are ready. */
function deployed(script: PodScript, namespace = "mcp"): FakeCluster {
  const cluster = new FakeCluster(new KubeStore(namespace));
  cluster.script = (pod) => {
    const { labels } = pod.metadata as { labels: Record<string, string> };
    if (labels[COLOR_LABEL] === "green") script(pod);
  };
  deployEnvironment(cluster.store);
  cluster.step();
  return cluster;
}

const notReady = [{ type: "Ready", status: "False" }];

const starting: PodScript = ({ status }) => {
  Object.assign(status, {
    conditions: notReady,
    containerStatuses: [{ name: "app", ready: false, restartCount: 0, state: { running: {} } }],
  });
};

const crashing: PodScript = ({ status }) => {
  const waiting = { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container" };
  const lastState = { terminated: { reason: "Error", exitCode: 2 } };
  Object.assign(status, {
    conditions: notReady,
    containerStatuses: [{ name: "app", ready: false, restartCount: 3, state: { waiting }, lastState }],
  });
};

const unpullable: PodScript = ({ status }) => {
  const waiting = { reason: "ImagePullBackOff", message: 'Back-off pulling image "registry/app:1"' };
  Object.assign(status, {
    conditions: notReady,
    containerStatuses: [{ name: "app", ready: false, restartCount: 0, state: { waiting } }],
  });
};

function explained(cluster: FakeCluster): void {
  const [pod] = cluster.pods("green");
  const name = pod?.metadata.name ?? "";
  const involvedObject = { kind: "Pod", name };
  const event = { involvedObject, type: "Warning", reason: "BackOff", count: 4, message: "Back-off restarting app" };
  cluster.store.create("Event", { metadata: { name: "e" }, ...event });
  cluster.store.logs.set(name, "1\n2\nthe configuration is not valid:\n  MCP_PORT must be a whole number\n");
}

describe("a wait for pods after a deploy", () => {
  const clock = new ManualClock();

  function wait(cluster: FakeCluster, progress: string[] = []) {
    const api = new StoreApi(cluster.store);
    const staging = () => new FakeStaging(cluster.store);
    const { capacity } = kubernetesTarget({ api, environment: { name: NAME, scaling: SCALING }, staging, clock });
    const say = (message: string) => progress.push(message);
    return waitUntilReady({ capacity, environment: { name: NAME }, timeoutSeconds: 60, progress: say, clock });
  }

  it("ends when both colors have all their pods ready, and says how many are", async () => {
    const cluster = deployed(starting);
    const progress: string[] = [];
    const waiting = wait(cluster, progress);
    await clock.pass(10_000);
    for (const pod of cluster.pods("green")) {
      cluster.store.edit(ref(pod), ({ status }) => {
        status.conditions = [{ type: "Ready", status: "True" }];
      });
      await clock.pass(4000);
    }

    expect(await waiting).toBeUndefined();
    expect(progress).toEqual([
      "blue: 2 of 2 pods ready, green: 0 of 2 pods ready",
      "blue: 2 of 2 pods ready, green: 1 of 2 pods ready",
    ]);
  });

  it("names the pod that hangs, its events and its last log lines when the time is over", async () => {
    const cluster = deployed(crashing);
    explained(cluster);
    const waiting = wait(cluster);
    await clock.pass(61_000);
    const report = (await waiting) ?? "";
    const [pod] = cluster.pods("green");

    expect(report).toMatch(/^green: 0 of 2 pods ready after 60 s\n/);
    expect(report).toContain(`  ${pod?.metadata.name}: CrashLoopBackOff: back-off 10s restarting failed container`);
    expect(report).toContain("Error with exit code 2");
    expect(report).toContain(
      `  pod ${pod?.metadata.name}:\n` +
        "    event  4 × BackOff: Back-off restarting app\n" +
        "    log of 'app'  1\n    log of 'app'  2\n" +
        "    log of 'app'  the configuration is not valid:\n    log of 'app'    MCP_PORT must be a whole number\n",
    );
    expect(report).not.toContain("blue");
  });

  it("ends at once if waiting cannot help", async () => {
    const report = await wait(deployed(unpullable));

    expect(report).toMatch(/^green: 0 of 2 pods ready after 0 s\n {2}.*ImagePullBackOff/);
    expect(report).not.toContain("log of");
  });

  it("names the log that it may not read, and still the rest", async () => {
    const cluster = deployed(crashing);
    const api = new StoreApi(cluster.store);
    api.log = () => Promise.reject(new Error("'deployer' lacks a right"));
    const environment = { name: NAME, scaling: SCALING };
    const { capacity } = kubernetesTarget({ api, environment, staging: () => new FakeStaging(cluster.store), clock });

    const waiting = waitUntilReady({ capacity, environment, timeoutSeconds: 60, clock });
    await clock.pass(61_000);

    expect(await waiting).toContain("log of 'app'  (its log cannot be read: 'deployer' lacks a right)");
  });

  it("has nothing to wait for where a color has 0 pods or is not deployed, and fails where none is", async () => {
    const cluster = deployed(starting);
    cluster.store.edit({ kind: "Deployment", name: colorName("green") }, ({ spec }) => {
      spec.replicas = 0;
    });
    cluster.step();
    expect(await wait(cluster)).toBeUndefined();

    cluster.store.remove({ kind: "Deployment", name: colorName("green") });
    expect(await wait(cluster)).toBeUndefined();

    cluster.store.remove({ kind: "Deployment", name: colorName("blue") });
    await expect(wait(cluster)).rejects.toThrow("no color of environment 'local' is deployed here: deploy it first");
  });
});

describe("release status --wait", () => {
  let folder: string;
  let server: KubeServer;
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "wait-"));
  });

  async function status(cluster: FakeCluster, ...options: string[]) {
    server = await KubeServer.start(cluster.store);
    const content = {
      clusters: [{ name: "c", cluster: { server: server.url.href } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    };
    await writeFile(join(folder, "config"), JSON.stringify(content));
    const args = ["status", "-e", "local", "--target", "kubernetes", "--context", "c", "--wait", ...options];
    return await startAsIs(folder, args, { KUBECONFIG: join(folder, "config") }).finished;
  }

  it("shows the status when all pods are ready", async () => {
    const { code, stdout } = await status(deployed(() => undefined, "mcp-local"));

    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/live +blue +2\/2 ready/) });
  }, 60_000);

  it("ends with 8 and the reason on standard error when a pod hangs", async () => {
    const cluster = deployed(crashing, "mcp-local");
    explained(cluster);
    const { code, stdout, stderr } = await status(cluster, "1");

    expect({ code, stdout }).toEqual({ code: 8, stdout: "" });
    expect(stderr).toMatch(/green: 0 of 2 pods ready after \d s\n.*CrashLoopBackOff/);
    expect(stderr).toContain("log of 'app'    MCP_PORT must be a whole number");
    expect(stderr).not.toContain("    at ");
  }, 60_000);
});
