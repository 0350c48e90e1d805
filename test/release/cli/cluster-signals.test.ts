import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { RECORD_ANNOTATION } from "../../../environment/names.ts";
import { RELEASE_LEASE } from "../../default-names.ts";
import { FakeCluster, deployEnvironment } from "../../kubernetes/cluster.ts";
import { KubeServer } from "../../kubernetes/server.ts";
import { KubeStore } from "../../kubernetes/store.ts";
import { moveByOperator } from "../../kubernetes/world.ts";
import { aRecord } from "../contract/world.ts";
import { says, startAsIs, type Running } from "./a-command.ts";

/** A command that waits for an answer takes 10 s and more without an interruption. */
const AT_ONCE_MS = 1500;

const LEASE = { kind: "Lease", name: RELEASE_LEASE } as const;

let cluster: FakeCluster;
let server: KubeServer;
let folder: string;

beforeEach(async () => {
  cluster = new FakeCluster(new KubeStore("mcp-local"));
  deployEnvironment(cluster.store);
  cluster.step();
  server = await KubeServer.start(cluster.store);
  folder = await mkdtemp(join(tmpdir(), "signals-"));
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(command: string, url = server.url.href, user: object = {}): Promise<Running> {
  const file = join(folder, "config");
  const authority = url.startsWith("https:") ? { "insecure-skip-tls-verify": true } : {};
  const content = {
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server: url, ...authority } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  };
  await writeFile(file, JSON.stringify(content));
  const args = [command, "-e", "local", "--target", "kubernetes", "-o", "json"];
  return startAsIs(folder, args, { KUBECONFIG: file, KUBE_CONTEXT: "c" });
}

/** Sends a signal and waits for the end. */
async function interrupt({ child, finished }: Running, signal: NodeJS.Signals) {
  const start = performance.now();
  child.kill(signal);
  const { code, last } = await finished;
  return { code, last, ms: performance.now() - start };
}

/** The traffic has moved to green, and its bake has not ended. */
function inBake(): void {
  moveByOperator(cluster.store, "green");
  const annotations = { [RECORD_ANNOTATION]: JSON.stringify(aRecord({ phase: "bake" })) };
  cluster.store.create("Lease", { metadata: { name: RELEASE_LEASE, annotations }, spec: { holderIdentity: "" } });
}

/** Resolves when the API server has got such a request. */
async function asked(verb: string, kind: string): Promise<void> {
  while (!server.requests.some((request) => request.verb === verb && request.kind === kind)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("an interrupted release on a cluster", () => {
  it("pauses on SIGHUP, which a terminal sends when it closes, and gives the lease back", async () => {
    inBake();
    const running = await start("run");
    await says(running.child.stdout, '"phase":"bake"');
    const { code, last } = await interrupt(running, "SIGHUP");

    expect(code).toBe(5);
    expect(last).toMatchObject({ result: "paused-new-live", reason: expect.stringMatching(/^interrupted by SIGHUP;/) });
    expect(cluster.store.get(LEASE)?.spec?.holderIdentity).toBe("");
  });

  it("ends at once while the API does not answer a fence", async () => {
    server.faults.add({ verb: "patch", does: "hang", times: Infinity });
    const running = await start("rollback");
    await asked("patch", "Service");
    const { code, last, ms } = await interrupt(running, "SIGINT");

    expect({ code, last }).toMatchObject({ code: 7, last: { result: "not-started" } });
    expect(ms).toBeLessThan(AT_ONCE_MS);
  });

  it("ends at once while port forwards get no answer", async () => {
    inBake();
    server.faults.add({ verb: "forward", does: "hang", times: Infinity });
    const running = await start("run");
    await asked("forward", "Pod");
    const { code, ms } = await interrupt(running, "SIGINT");

    expect(code).toBe(5);
    expect(ms).toBeLessThan(AT_ONCE_MS);
  });

  it.each([
    ["exec plugin", "exec sleep 60"],
    ["exec plugin that is a wrapper", "sleep 60"],
    ["exec plugin that ignores signals", "trap '' TERM INT; while :; do sleep 1; done"],
  ])("ends at once while an %s does not answer, and ends that", async (_, script) => {
    const told = createServer().listen(0, "127.0.0.1");
    await once(told, "listening");
    const { port } = told.address() as AddressInfo;
    const called = once(told, "connection");
    const plugin = join(folder, "plugin");
    await writeFile(plugin, `#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/${port}\n${script}\n`);
    await chmod(plugin, 0o755);
    const apiVersion = "client.authentication.k8s.io/v1";
    const exec = { apiVersion, command: "./plugin", interactiveMode: "Never" };
    const running = await start("rollback", "https://127.0.0.1:9", { exec });
    const [socket] = (await called) as [Socket];
    // When no process of the plugin has it open any more.
    const ended = once(socket.resume(), "close");
    const { code, ms } = await interrupt(running, "SIGTERM");
    await ended;
    told.close();

    expect(code).toBe(7);
    expect(ms).toBeLessThan(AT_ONCE_MS);
  });
});
