import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";

const PROTOCOL = "v4.channel.k8s.io";

/** Each port has two channels: data, and errors in words. */
const DATA = 0;
const ERROR = 1;

/**
 * Port forwards over WebSockets: each message begins with the number of its channel, and the first one of each channel
 * names the port.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.34.0/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
 */
export class PortForwards {
  readonly #ports: ReadonlyMap<string, number>;
  readonly #server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  readonly #sockets = new Set<Socket>();

  /** @param ports local ports that answer for `<pod>:<port>` */
  constructor(ports: ReadonlyMap<string, number>) {
    this.#ports = ports;
  }

  open(pod: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const port = Number(new URL(request.url ?? "/", "http://server").searchParams.get("ports"));
    this.#server.handleUpgrade(request, socket, head, (tunnel) => {
      this.#connect(tunnel, pod, port);
    });
  }

  close(): void {
    for (const tunnel of this.#server.clients) tunnel.terminate();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(tunnel: WebSocket, pod: string, port: number): void {
    for (const channel of [DATA, ERROR]) tunnel.send(Buffer.from([channel, port & 255, port >> 8]));
    // Nothing listens on port 1: a port that no process of the pod has is refused.
    const socket = connect(this.#ports.get(`${pod}:${port}`) ?? 1, "127.0.0.1");
    this.#sockets.add(socket);
    socket.on("data", (data) => {
      tunnel.send(Buffer.concat([Buffer.from([DATA]), data]));
    });
    socket.once("error", () => {
      const message = `error forwarding port ${port} to pod ${pod}: connect: connection refused`;
      tunnel.send(Buffer.concat([Buffer.from([ERROR]), Buffer.from(message)]));
    });
    socket.once("close", () => {
      this.#sockets.delete(socket);
      // As a node does, however the pod's connection ended.
      tunnel.close(1000);
    });
    tunnel.on("message", (message: Buffer) => {
      if (message[0] === DATA) socket.write(message.subarray(1));
    });
    tunnel.once("close", () => {
      socket.destroy();
    });
  }
}
