import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import WebSocket from "ws";
import { LIVE_SERVICE, PORTS } from "../default-names.ts";
import type { Operation } from "../../release/targets/kubernetes/api/kube-api.ts";
import { FakeCluster } from "./cluster.ts";
import { deniedByPolicy, missingRight, tooManyRequests } from "./failures.ts";
import { PodServers } from "./pod-servers.ts";
import { KubeServer } from "./server.ts";

const SERVICE = `/api/v1/namespaces/mcp/services/${LIVE_SERVICE}`;

let cluster: FakeCluster;
let pods: PodServers;
let server: KubeServer;

beforeEach(async () => {
  cluster = FakeCluster.deployed();
  pods = await PodServers.start(cluster);
  server = await KubeServer.start(cluster.store, { ports: pods.ports });
});

afterEach(async () => {
  await server.close();
  await pods.close();
});

async function ask(path: string, init?: RequestInit) {
  const response = await fetch(new URL(path, server.url), init);
  return { code: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const patch = (path: string, ...operations: Operation[]) =>
  ask(path, {
    method: "PATCH",
    headers: { "content-type": "application/json-patch+json" },
    body: JSON.stringify(operations),
  });

describe("a fake API server", () => {
  it("reads, lists by label and field, patches, creates and deletes", async () => {
    expect((await ask(SERVICE)).body).toMatchObject({ apiVersion: "v1", kind: "Service" });
    const blue = "/api/v1/namespaces/mcp/pods?labelSelector=mcp-bluegreen%2Fcolor%3Dblue";
    expect((await ask(blue)).body.items).toHaveLength(2);
    const byName = `/api/v1/namespaces/mcp/services?fieldSelector=metadata.name%3D${LIVE_SERVICE}`;
    expect((await ask(byName)).body.items).toHaveLength(1);

    const before = cluster.store.get({ kind: "Service", name: LIVE_SERVICE })?.metadata.resourceVersion;
    const add = { op: "add", path: "/metadata/annotations", value: { a: "b" } } as const;
    const { code, body } = await patch(SERVICE, add);
    expect({ code, body }).toMatchObject({ code: 200, body: { metadata: { annotations: { a: "b" } } } });
    expect(cluster.store.get({ kind: "Service", name: LIVE_SERVICE })?.metadata.resourceVersion).not.toBe(before);

    const leases = "/apis/coordination.k8s.io/v1/namespaces/mcp/leases";
    const lease = { method: "POST", body: JSON.stringify({ metadata: { name: "l" } }) };
    expect((await ask(leases, lease)).code).toBe(201);
    expect((await ask(leases, lease)).body).toMatchObject({ code: 409, reason: "AlreadyExists" });
    expect((await ask(`${leases}/l`, { method: "DELETE" })).code).toBe(200);
    expect((await ask(`${leases}/l`)).body).toMatchObject({ code: 404, reason: "NotFound" });
  });

  it.each<[string, Operation[], number, object]>([
    [
      "a failed test",
      [{ op: "test", path: "/spec/selector/none", value: "x" }],
      422,
      { reason: "Invalid", details: {} },
    ],
    ["a missing map", [{ op: "add", path: "/metadata/annotations/a", value: "b" }], 422, { details: {} }],
    ["a missing key", [{ op: "remove", path: "/metadata/labels/none" }], 422, { details: {} }],
    ["null for a key of a missing map", [{ op: "test", path: "/metadata/annotations/a", value: null }], 422, {}],
    ["another version, tested", [{ op: "test", path: "/metadata/resourceVersion", value: "1" }], 422, { details: {} }],
    [
      "another version, set",
      [{ op: "replace", path: "/metadata/resourceVersion", value: "1" }],
      409,
      { reason: "Conflict" },
    ],
  ])("refuses a patch with %s as Kubernetes does", async (_, operations, code, body) => {
    expect(await patch(SERVICE, ...operations)).toMatchObject({ code, body });
  });

  it.each<Operation>([
    { op: "test", path: "/metadata/labels/none", value: null },
    { op: "test", path: "/metadata/annotations", value: null },
  ])("passes a test of null for a missing key: $path", async (operation) => {
    expect((await patch(SERVICE, operation)).code).toBe(200);
  });

  it("refuses by script with the recorded bodies, and says when to ask again", async () => {
    server.faults.add({ verb: "patch", does: deniedByPolicy });
    server.faults.add({ verb: "get", does: missingRight });
    server.faults.add({ verb: "get", does: () => tooManyRequests(3) });

    expect((await patch(SERVICE)).body).toMatchObject({ code: 422, details: { causes: [{}] } });
    expect((await ask(SERVICE)).body).toMatchObject({
      code: 403,
      message: expect.stringContaining("cannot get") as unknown,
    });
    expect((await ask(SERVICE)).headers.get("retry-after")).toBe("3");
    expect((await ask(SERVICE)).code).toBe(200);
  });

  it("cuts a connection before a write has its effect, or after", async () => {
    const write = () => patch(SERVICE, { op: "add", path: "/metadata/annotations", value: { a: "b" } });
    const annotations = () => cluster.store.get({ kind: "Service", name: LIVE_SERVICE })?.metadata.annotations;
    server.faults.add({ does: "unreachable" });
    await expect(write()).rejects.toThrow("fetch failed");
    expect(annotations()).toBeUndefined();

    server.faults.add({ does: "unanswered" });
    await expect(write()).rejects.toThrow("fetch failed");
    expect(annotations()).toEqual({ a: "b" });
  });

  it("refuses credentials that it does not accept", async () => {
    const guarded = await KubeServer.start(cluster.store, {
      identify: ({ headers }) => (headers.authorization === "Bearer good" ? "someone" : undefined),
    });
    const response = await fetch(new URL(SERVICE, guarded.url));
    expect(await response.json()).toMatchObject({ code: 401, message: "Unauthorized" });
    await fetch(new URL(SERVICE, guarded.url), { headers: { authorization: "Bearer good" } });
    expect(guarded.requests.map(({ user }) => user)).toEqual(["someone"]);
    await guarded.close();
  });

  it("sends the changes of what a watch selects", async () => {
    const path = `/api/v1/namespaces/mcp/services?watch=true&fieldSelector=metadata.name%3D${LIVE_SERVICE}`;
    const response = await fetch(new URL(path, server.url));
    await patch(SERVICE.replace(LIVE_SERVICE, `${LIVE_SERVICE}-preview`), { op: "add", path: "/spec/x", value: 1 });
    await patch(SERVICE, { op: "add", path: "/spec/x", value: 2 });
    cluster.store.remove({ kind: "Service", name: LIVE_SERVICE });

    const lines: { type: string; object: object }[] = [];
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      const whole = text.split("\n");
      text = whole.pop() ?? "";
      lines.push(...whole.map((line) => JSON.parse(line) as (typeof lines)[number]));
      if (lines.length === 2) break;
    }
    expect(lines).toMatchObject([{ type: "MODIFIED", object: { spec: { x: 2 } } }, { type: "DELETED" }]);
  });

  describe("with a port forward", () => {
    const forward = (pod: string, port: number) => {
      const url = new URL(`/api/v1/namespaces/mcp/pods/${pod}/portforward?ports=${port}`, server.url);
      return new WebSocket(url.href.replace("http", "ws"), "v4.channel.k8s.io");
    };
    const podOf = () => cluster.pods("green")[0]?.metadata.name ?? "";

    it("carries bytes to the pod's port and back", async () => {
      const tunnel = forward(podOf(), PORTS.admin.number);
      let answer = "";
      tunnel.on("message", (message: Buffer) => {
        if (message[0] === 0) answer += message.subarray(1).toString("latin1");
      });
      await once(tunnel, "open");
      tunnel.send(Buffer.from("\0GET /health HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n"));
      await once(tunnel, "close");

      expect(answer).toMatch(/HTTP\/1.1 200 OK.*"status":"healthy"/s);
    });

    it("says that nothing listens on a port", async () => {
      const tunnel = forward(podOf(), 4711);
      const errors: string[] = [];
      tunnel.on("message", (message: Buffer) => {
        if (message[0] === 1 && message.length > 3) errors.push(message.subarray(1).toString());
      });
      await once(tunnel, "close");

      expect(errors[0]).toMatch(/error forwarding port 4711 to pod .*connection refused/);
    });

    it("refuses one without the right, and one to a pod that is gone", async () => {
      server.faults.add({ verb: "forward", does: missingRight });
      await expect(once(forward(podOf(), 9090), "open")).rejects.toThrow("Unexpected server response: 403");
      await expect(once(forward("gone", 9090), "open")).rejects.toThrow("Unexpected server response: 404");
    });
  });
});
