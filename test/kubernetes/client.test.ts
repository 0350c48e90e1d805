import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { LIVE_SERVICE } from "../default-names.ts";
import { ApiError, type ApiErrorKind } from "../../release/targets/kubernetes/api/api-error.ts";
import type { KubeApi } from "../../release/targets/kubernetes/api/kube-api.ts";
import type { OpenedApi } from "../../release/targets/kubernetes/api/open.ts";
import { FakeCluster } from "./cluster.ts";
import {
  alreadyExists,
  deniedByPolicy,
  exceededQuota,
  invalidValue,
  missingRight,
  modified,
  testFailed,
  tooLarge,
  tooManyRequests,
  unauthorized,
  webhookDown,
} from "./failures.ts";
import type { Fault } from "./faults.ts";
import { openClient } from "./open-client.ts";
import { PodServers } from "./pod-servers.ts";
import { KubeServer } from "./server.ts";

const SERVICE = { kind: "Service", name: LIVE_SERVICE } as const;

const failureOf = (request: Promise<unknown>): Promise<ApiError> =>
  request.then(
    () => {
      throw new Error("the request did not fail");
    },
    (error: unknown) => error as ApiError,
  );

describe("a client of the API", () => {
  let cluster: FakeCluster;
  let pods: PodServers;
  let server: KubeServer;
  let opened: OpenedApi;
  let api: KubeApi;

  beforeEach(async () => {
    cluster = FakeCluster.deployed();
    pods = await PodServers.start(cluster);
    server = await KubeServer.start(cluster.store, { ports: pods.ports });
    opened = openClient(server.url, cluster.store.namespace);
    ({ api } = opened);
  });

  afterEach(async () => {
    opened.close();
    await server.close();
    await pods.close();
  });

  const label = (value: string) => api.patch(SERVICE, [{ op: "add", path: "/metadata/labels", value: { a: value } }]);

  describe.each<[string, Fault["does"], ApiErrorKind, RegExp]>([
    ["a policy that answers 422", deniedByPolicy, "policy", /denied request: no switch on fridays/],
    ["a policy that answers 403", (s) => deniedByPolicy(s, "no", 403), "policy", /denied request: no/],
    ["a missing right", missingRight, "forbidden", /'releaser' lacks a right: .*namespace 'mcp' allows 'patch' on/],
    ["a quota", exceededQuota, "quota", /exceeded quota: small/],
    ["credentials that are not accepted", unauthorized, "unauthorized", /does not accept the credentials/],
    ["a value that is not accepted", invalidValue, "invalid", /spec\.minReplicas: Invalid value: -1/],
    ["a body that is too large", tooLarge, "invalid", /too large/],
    ["another resourceVersion", modified, "conflict", /has been modified/],
    ["an object that exists already", alreadyExists, "conflict", /already exists/],
    ["a failed test", testFailed, "test-failed", /not as the change expects/],
    ["a webhook that is down", webhookDown, "unreachable", /answered 500: .*mirror\.example\.com/],
    ["a server that hangs up", "unreachable", "unreachable", /socket hang up|ECONNRESET/],
  ])("a write that meets %s", (_, does, kind, message) => {
    it(`fails once, as ${kind}, and says what was tried`, async () => {
      server.faults.add({ does, times: Infinity });
      const error = await failureOf(label("b"));

      expect(error).toBeInstanceOf(ApiError);
      expect({ kind: error.kind, message: error.message }).toEqual({ kind, message: expect.stringMatching(message) });
      expect(error.message).toContain(`could not change Service '${LIVE_SERVICE}' in namespace 'mcp': `);
      expect(server.requests).toHaveLength(1);
    });
  });

  it("names no object that does not exist, and only that", async () => {
    expect(await api.get({ kind: "Service", name: "other" })).toBeUndefined();
    await expect(api.patch({ kind: "Service", name: "other" }, [])).rejects.toMatchObject({ kind: "not-found" });
  });

  it("repeats a read that had no answer, and no write", async () => {
    server.faults.add({ does: "unreachable" });
    server.faults.add({ does: webhookDown });

    expect(await api.get(SERVICE)).toMatchObject({ metadata: { name: LIVE_SERVICE } });
    expect(server.requests).toHaveLength(3);
  });

  it("says after how long the server wants to be asked again, and waits so long before it reads again", async () => {
    server.faults.add({ does: () => tooManyRequests(1), times: 2 });
    await expect(label("b")).rejects.toMatchObject({ kind: "unreachable", retryAfterMs: 1000 });

    const started = performance.now();
    await api.get(SERVICE);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
    expect(server.requests).toHaveLength(3);
  });

  it("does not wait longer than its deadline when the server asks for more", async () => {
    server.faults.add({ does: () => tooManyRequests(60), times: Infinity });

    await expect(api.get(SERVICE)).rejects.toMatchObject({ kind: "unreachable", retryAfterMs: 60_000 });
    expect(server.requests).toHaveLength(1);
  });

  it("ends a wait for another try with the signal", async () => {
    server.faults.add({ does: () => tooManyRequests(5), times: Infinity });
    const stopped = new AbortController();
    setTimeout(() => {
      stopped.abort(new Error("stopped by Ctrl-C"));
    }, 100);
    const started = performance.now();

    await expect(api.get(SERVICE, stopped.signal)).rejects.toThrow("stopped by Ctrl-C");
    expect(performance.now() - started).toBeLessThan(1100);
    expect(server.requests).toHaveLength(1);
  });
});

describe("a client of an API server that answers nothing", () => {
  const sockets: Socket[] = [];
  let blackHole: Server;
  let url: URL;

  beforeEach(async () => {
    blackHole = createServer((socket) => sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
    await once(blackHole, "listening");
    url = new URL(`http://127.0.0.1:${(blackHole.address() as AddressInfo).port}`);
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    blackHole.close();
  });

  it.each<[string, (api: KubeApi, signal?: AbortSignal) => Promise<unknown>]>([
    ["a read", (api, signal) => api.get(SERVICE, signal)],
    ["a list", (api, signal) => api.list("Pod", {}, signal)],
    ["a write", (api, signal) => api.patch(SERVICE, [], signal)],
    ["a port forward", (api, signal) => api.forward("pod", 80, signal)],
  ])("ends %s at its deadline, and within a second of the signal", async (_, ask) => {
    const hasty = openClient(url, "mcp", { deadlineMs: 300 });
    const started = performance.now();
    await expect(ask(hasty.api)).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("within 0.3 s"),
    });
    expect(performance.now() - started).toBeLessThan(1300);
    hasty.close();

    const patient = openClient(url, "mcp", { deadlineMs: 60_000 });
    const stopped = new AbortController();
    const connected = once(blackHole, "connection");
    const asked = failureOf(ask(patient.api, stopped.signal));
    await connected;
    const aborted = performance.now();
    stopped.abort(new Error("stopped by Ctrl-C"));
    expect((await asked).message).toBe("stopped by Ctrl-C");
    expect(performance.now() - aborted).toBeLessThan(1000);
    patient.close();
  });
});

it("a client of a load balancer that lost its connections without a word uses new ones after one deadline", async () => {
  const cluster = FakeCluster.deployed();
  const server = await KubeServer.start(cluster.store);
  const accepted: [Socket, Socket][] = [];
  const balancer = createServer((socket) => {
    const upstream = connect(Number(server.url.port), "127.0.0.1");
    accepted.push([socket.on("error", () => undefined), upstream.on("error", () => undefined)]);
    socket.pipe(upstream).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(balancer, "listening");
  const url = new URL(`http://127.0.0.1:${(balancer.address() as AddressInfo).port}`);
  const { api, close } = openClient(url, "mcp", { deadlineMs: 500 });
  await Promise.all([api.get(SERVICE), api.get(SERVICE), api.get(SERVICE)]);
  for (const [socket, upstream] of accepted) socket.unpipe(upstream).resume();

  await expect(api.get(SERVICE)).rejects.toThrow("no answer within 0.5 s");
  expect(await api.get(SERVICE)).toBeDefined();

  close();
  balancer.close();
  for (const socket of accepted.flat()) socket.destroy();
  await server.close();
});

describe("a port forward", () => {
  const MIB = 1 << 20;
  let cluster: FakeCluster;
  let echo: Server;
  let server: KubeServer;
  let opened: OpenedApi;
  let pod: string;

  beforeEach(async () => {
    cluster = FakeCluster.deployed();
    pod = cluster.store.list("Pod")[0]?.metadata.name ?? "";
    echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(0, "127.0.0.1");
    await once(echo, "listening");
    const ports = new Map([[`${pod}:7`, (echo.address() as AddressInfo).port]]);
    server = await KubeServer.start(cluster.store, { ports });
    opened = openClient(server.url, cluster.store.namespace);
  });

  afterEach(async () => {
    opened.close();
    await server.close();
    echo.close();
  });

  it("carries data both ways, from the first byte on", async () => {
    const stream = await opened.api.forward(pod, 7);
    const sent = randomBytes(MIB);
    stream.write(sent);
    const received: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      received.push(chunk);
      size += chunk.length;
      if (size >= MIB) break;
    }

    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it("still brings the answer after the caller has ended its side", async () => {
    const stream = await opened.api.forward(pod, 7);
    stream.end("question");

    expect(String((await once(stream, "data"))[0])).toBe("question");
    stream.destroy();
  });

  it("to a port that nobody listens on fails for whoever reads, also when the refusal comes with the answer", async () => {
    const stream = await opened.api.forward(pod, 8);
    // The refusal has arrived by now, and must wait for a reader.
    await sleep(100);

    await expect(text(stream)).rejects.toThrow(`could not forward to port 8 of pod '${pod}'`);
  });

  it("to a pod that does not exist, and without the right to it, says so", async () => {
    await expect(opened.api.forward("nobody", 7)).rejects.toMatchObject({ kind: "not-found" });

    server.faults.add({ verb: "forward", does: missingRight });
    await expect(opened.api.forward(pod, 7)).rejects.toMatchObject({
      kind: "forbidden",
      message: expect.stringContaining("allows 'get' on 'pods/portforward'"),
    });
  });
});
