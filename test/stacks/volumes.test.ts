import { describe, expect, it } from "@jest/globals";
import { notes } from "../../environment/notes.ts";
import { withServer } from "./a-server.ts";
import { resourceOf, stackOf, synthesize } from "./synthesized.ts";

const CLAIM = "kubernetes_persistent_volume_claim_v1";

interface PodSpec {
  readonly volume: readonly unknown[];
  readonly container: readonly { readonly volume_mount: readonly unknown[] }[];
  readonly affinity?: unknown;
  readonly security_context: unknown;
}

const made = { type: "claim", path: "/app/data", size: "100Mi", accessMode: "ReadWriteMany" };

const stacks = (notesVolume: object) => synthesize(withServer({}, { volumes: { notes: notesVolume } }));

function pod(volume: object): PodSpec {
  const { spec } = resourceOf(stackOf(stacks(volume), "green"), "kubernetes_deployment_v1");
  return (spec as unknown as { template: { spec: PodSpec } }).template.spec;
}

describe("a volume of the server", () => {
  it("is a claim that a deploy makes, waits for no pod to bind, and never deletes", () => {
    const claim = resourceOf(stackOf(stacks({ ...made, class: "fast" }), "platform"), CLAIM);

    expect(claim).toMatchObject({
      metadata: { name: "mcp-app-notes-r1", namespace: expect.stringContaining("metadata[0].name") },
      wait_until_bound: false,
      spec: {
        access_modes: ["ReadWriteMany"],
        storage_class_name: "fast",
        resources: { requests: { storage: "100Mi" } },
      },
      lifecycle: { prevent_destroy: true },
    });
    expect(pod(made)).toMatchObject({
      volume: [
        { name: "notes", persistent_volume_claim: { claim_name: "mcp-app-notes-r1" } },
        { name: "tmp" },
        { name: "pause" },
      ],
      security_context: { fs_group: "65532" },
    });
    expect(pod(made).container[0]?.volume_mount).toContainEqual({ name: "notes", mount_path: "/app/data" });
  });

  it("has a revision in its name, and one stays while a color names it", () => {
    const revisions = { ...made, revisions: [1, 2] };
    const { resource } = stackOf(stacks(revisions), "platform");

    expect(Object.values(resource[CLAIM] ?? {}).map(({ metadata }) => metadata.name)).toEqual([
      "mcp-app-notes-r1",
      "mcp-app-notes-r2",
    ]);
    expect(JSON.stringify(pod(revisions).volume)).toContain("mcp-app-notes-r2");
  });

  it("is a claim that exists, and then none is made", () => {
    const existing = { type: "existing", path: "/data", claim: "shared", accessMode: "ReadWriteMany" };

    expect(stackOf(stacks(existing), "platform").resource).not.toHaveProperty(CLAIM);
    expect(pod(existing).volume).toContainEqual({ name: "notes", persistent_volume_claim: { claim_name: "shared" } });
  });

  it("keeps the pods of both colors on one node, if only one node may mount it", () => {
    expect(pod({ ...made, accessMode: "ReadWriteOnce" }).affinity).toEqual({
      pod_affinity: {
        required_during_scheduling_ignored_during_execution: [
          {
            label_selector: [{ match_labels: { "app.kubernetes.io/name": "mcp-app" } }],
            topology_key: "kubernetes.io/hostname",
          },
        ],
      },
    });
    expect(pod(made)).not.toHaveProperty("affinity");
  });

  it("is noted, as pods of both versions write to it at the same time", () => {
    const of = (accessMode: string) =>
      notes(withServer({ connections: "maxAge" }, { volumes: { notes: { ...made, accessMode } } }));

    expect(of("ReadWriteMany")).toEqual(["volumes.notes: pods of both versions write to it at the same time"]);
    expect(of("ReadWriteOnce")).toEqual([
      "volumes.notes: pods of both versions write to it at the same time, and all of them run on one node",
    ]);
  });

  it("is a folder of each pod, on disk or in memory, and may be /tmp", () => {
    expect(pod({ type: "emptyDir", path: "/cache", sizeLimit: "1024Mi", memory: true }).volume).toContainEqual({
      name: "notes",
      empty_dir: { size_limit: "1Gi", medium: "Memory" },
    });
    expect(pod({ type: "emptyDir", path: "/tmp" }).container[0]?.volume_mount).toEqual([
      { name: "notes", mount_path: "/tmp" },
      { name: "pause", mount_path: "/mcp-bluegreen", read_only: true },
    ]);
  });

  it.each([
    [
      { ...made, accessMode: "ReadWriteOncePod" },
      "volumes.notes.accessMode: 'ReadWriteOncePod' admits one pod, and both colors have pods: use 'ReadWriteMany'",
    ],
    [{ ...made, accessMode: undefined }, "volumes.notes.accessMode: is missing: 'ReadWriteMany' or 'ReadWriteOnce'"],
    [{ ...made, size: "100MB" }, "volumes.notes.size: '100MB' is not a quantity"],
    [{ ...made, path: "data" }, "volumes.notes.path: must be an absolute path such as '/etc/app', not 'data'"],
    [{ type: "disk" }, "volumes.notes.type: must be 'existing' or 'claim' or 'emptyDir', not 'disk'"],
  ])("is refused as %j", (volume, message) => {
    expect(() => stacks(volume)).toThrow(message);
  });

  it("is refused in the place of another, or under a name of the kit", () => {
    const volumes = {
      a: { type: "emptyDir", path: "/x" },
      b: { type: "emptyDir", path: "/x" },
      tmp: { type: "emptyDir", path: "/y" },
    };

    expect(() => withServer({}, { volumes })).toThrow(
      "volumes.a.path: there is something else at '/x'\n  volumes.b.path: there is something else at '/x'\n" +
        "  volumes.tmp: 'tmp' is a volume of the kit: use another name",
    );
  });
});
