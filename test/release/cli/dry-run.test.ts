import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { FakeCluster, deployEnvironment } from "../../kubernetes/cluster.ts";
import { KubeServer } from "../../kubernetes/server.ts";
import { KubeStore } from "../../kubernetes/store.ts";
import { ENVIRONMENT_FILE, image, startHost, type AHost } from "../local/a-host.ts";
import { run, startAsIs } from "./a-command.ts";

const NEW = ["--image", image("version-2"), "--version", "2.0.0"];

let host: AHost;

beforeAll(async () => {
  // No lease expires while the test takes its time.
  host = await startHost({ leaseTtlMs: 600_000 });
}, 20_000);

afterAll(async () => {
  await host[Symbol.asyncDispose]();
}, 20_000);

const text = (...args: readonly string[]) =>
  startAsIs(host.home, [...args, "-e", ENVIRONMENT_FILE, "--dry-run"]).finished;

describe("--dry-run", () => {
  it("shows the colors, the version and every phase of a release, and changes nothing", async () => {
    const { code, stdout, stderr } = await text("run", ...NEW);

    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first = "", ...lines] = stdout.trim().split("\n");
    expect(first).toBe("dry run  release run; nothing is changed, and no lease is taken");
    expect(lines).toContain("lease    free");
    expect(lines).toContain("release  2.0.0, blue → green, from phase stage");
    expect(lines).toContain(`stage    put 2.0.0, ${image("version-2")}, on green`);
    expect(lines).toContainEqual(
      expect.stringMatching(/^verify {3}hold both colors at 1 pod, .*gates: rollout, .*smoke/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^promote .*from blue to green$/));
    expect(lines).toContainEqual(expect.stringMatching(/^bake .*back to blue if it fails/));
    expect(lines).toContainEqual(expect.stringMatching(/^retire /));
    expect(lines.at(-1)).toBe("result   the command would start");
    expect(host.host.look()).toMatchObject({ live: "blue", history: [] });
    expect(host.host.look().release).toBeUndefined();
    expect(host.host.look().colors.green.image).toBeUndefined();
    expect(host.host.leases.holder).toBeUndefined();
  });

  it("ends with the phases that the command itself ends with", async () => {
    const { last } = await run(host.home, "stage", ...NEW, "--dry-run");

    expect(last).toMatchObject({ type: "dry-run", command: "stage", result: "done", exitCode: 0 });
    expect(last.steps).toEqual([{ phase: "stage", what: expect.stringContaining("on green") }]);
  });

  it("ends with 2 and the reason on standard error, for a command that would be refused", async () => {
    const { code, stdout, stderr } = await text("promote");

    expect(code).toBe(2);
    expect(stdout).toContain("result   refused");
    expect(stderr).toBe("nothing is staged: begin with 'release stage' and name --image and --version\n");
    const missing = await text("run", "--image", "/nowhere.js", "--version", "2");
    expect(missing).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("no build at '/nowhere.js'"),
    });
  });

  it("ends with 6 and names the holder while another command holds the lease, which keeps it", async () => {
    host.host.leases.take("alice@laptop");
    const kept = await text("run", ...NEW);
    const taken = await text("run", ...NEW, "--take-over");

    expect(kept).toMatchObject({ code: 6, stdout: expect.stringContaining("lease    held by alice@laptop") });
    expect(kept.stderr).toContain("the lease is held by alice@laptop: the command ends with 6 unless");
    expect(taken).toMatchObject({ code: 0, stderr: "" });
    expect(host.host.leases.holder).toBe("alice@laptop");
  });

  it("only reads a cluster", async () => {
    const cluster = new FakeCluster(new KubeStore("mcp-local"));
    deployEnvironment(cluster.store);
    cluster.step();
    const server = await KubeServer.start(cluster.store);
    const folder = await mkdtemp(join(tmpdir(), "dry-run-"));
    const kubeconfig = {
      "current-context": "c",
      clusters: [{ name: "c", cluster: { server: server.url.href } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    };
    await writeFile(join(folder, "config"), JSON.stringify(kubeconfig));
    const args = [
      "run",
      "--target",
      "kubernetes",
      "--image",
      "app:2",
      "--version",
      "2.0.0",
      "--dry-run",
      "-o",
      "json",
      "--context",
      "c",
    ];
    const { code, last } = await startAsIs(folder, args, { KUBECONFIG: join(folder, "config") }).finished;
    await server.close();
    await rm(folder, { recursive: true });

    expect({ code, last }).toMatchObject({ code: 0, last: { result: "done", environment: "local" } });
    expect(new Set(server.requests.map(({ verb }) => verb))).toEqual(new Set(["get", "list"]));
  }, 30_000);
});
