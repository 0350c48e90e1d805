import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { PortForward, type KubeConfig } from "@kubernetes/client-node";

/** The client's own type is that of a package whose types it does not bring. */
type Tunnel = Closable | (() => Closable | null);

interface Closable {
  close(): void;
}

/**
 * A port on this machine that leads to pods, through the API server: what `kubectl port-forward` does, and so what a person with
 * the same rights could do by hand. Connections take the pods in turn.
 */
export class Forward {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(kubeconfig: KubeConfig, namespace: string, pods: readonly string[], port: number) {
    const forward = new PortForward(kubeconfig);
    let turn = 0;
    this.#server = createServer((socket) => {
      const pod = pods[turn++ % Math.max(1, pods.length)];
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      // A client that hangs up is no fault of anybody's.
      socket.on("error", () => socket.destroy());
      if (pod === undefined) {
        socket.destroy();
        return;
      }
      forward.portForward(namespace, pod, [port], socket, null, socket).then(
        // The client's end of the tunnel is not the tunnel's: left alone it stays until the pod drops the connection.
        (tunnel: Tunnel) => {
          const close = () => {
            (typeof tunnel === "function" ? tunnel() : tunnel)?.close();
          };
          if (socket.destroyed) close();
          else socket.once("close", close);
        },
        () => socket.destroy(),
      );
    });
  }

  static async open(
    kubeconfig: KubeConfig,
    namespace: string,
    pods: readonly string[],
    port: number,
  ): Promise<Forward> {
    const forward = new Forward(kubeconfig, namespace, pods, port);
    forward.#server.listen(0, "127.0.0.1");
    await once(forward.#server, "listening");
    return forward;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }
}
