import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { TargetUnreachable } from "../../release/errors.ts";
import type { OpenedApi } from "../../release/targets/kubernetes/api/open.ts";
import { podFetch, type PodFetch } from "../../release/targets/kubernetes/pod-fetch.ts";
import { FakeCluster } from "./cluster.ts";
import { openClient } from "./open-client.ts";
import { KubeServer } from "./server.ts";

let pod: string;
/** Takes requests and answers none. */
let app: Server;
let server: KubeServer;
/** Stands in front of the API server. */
let balancer: ReturnType<typeof createTcpServer>;
const sockets = new Set<Socket>();
let opened: OpenedApi;
let connection: PodFetch;

beforeEach(async () => {
  const cluster = FakeCluster.deployed();
  pod = cluster.store.list("Pod")[0]?.metadata.name ?? "";
  app = createServer().listen(0, "127.0.0.1");
  await once(app, "listening");
  server = await KubeServer.start(cluster.store, { ports: new Map([[`${pod}:80`, portOf(app)]]) });
  balancer = createTcpServer((socket) => {
    const upstream = connect(Number(server.url.port), "127.0.0.1");
    sockets.add(socket.on("error", () => undefined));
    socket.pipe(upstream.on("error", () => undefined)).pipe(socket);
    socket.once("close", () => upstream.destroy());
  }).listen(0, "127.0.0.1");
  await once(balancer, "listening");
  opened = openClient(new URL(`http://127.0.0.1:${portOf(balancer)}`), "mcp");
  connection = podFetch(opened.api, [pod], 80);
});

afterEach(async () => {
  await connection.close();
  opened.close();
  balancer.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await server.close();
  app.close().closeAllConnections();
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

const call = () => connection.fetch("http://pod/").catch((error: unknown) => error);

/** A call that has reached the pod, and waits for its answer. */
async function calling() {
  const arrived = once(app, "request") as Promise<[IncomingMessage, ServerResponse]>;
  const answer = call();
  const [request, response] = await arrived;
  return { answer, request, response };
}

describe("a call to a pod through a port forward", () => {
  it.each<[string, (socket: Socket) => void]>([
    ["ends", (socket) => socket.end()],
    ["is cut", (socket) => socket.destroy()],
    ["is reset", (socket) => socket.resetAndDestroy()],
  ])("says nothing about the pod when the connection to the API server %s", async (_, end) => {
    const { answer } = await calling();
    for (const socket of sockets) end(socket);

    const error = await answer;
    expect(error).toBeInstanceOf(TargetUnreachable);
    expect(String(error)).toContain("the connection to the API server was cut");
  });

  it("says nothing about the pod when the API server ends", async () => {
    const { answer } = await calling();
    await server.close();

    expect(await answer).toBeInstanceOf(TargetUnreachable);
  });

  it.each<[string, (pod: Socket) => void]>([
    ["ends", (socket) => socket.destroy()],
    ["resets", (socket) => socket.resetAndDestroy()],
  ])("fails when the pod %s the connection", async (_, end) => {
    const { answer, request } = await calling();
    end(request.socket);

    const error = await answer;
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(TargetUnreachable);
  });

  it("fails when no process of the pod listens on the port", async () => {
    connection = podFetch(opened.api, [pod], 81);

    expect(await call()).toBeInstanceOf(TypeError);
  });

  it("ends when its connections are closed, also while the API server does not answer", async () => {
    server.faults.add({ verb: "forward", does: "hang" });
    const dialed = once(balancer, "connection") as Promise<[Socket]>;
    const answer = call();
    const [socket] = await dialed;
    const start = performance.now();
    const ended = once(socket, "close");
    await connection.close();
    await ended;

    expect(await answer).toBeInstanceOf(Error);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
