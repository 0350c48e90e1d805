import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * A SOCKS 5 proxy that records to where it was asked to connect. Every name is this machine to it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1928
 */
export class SocksProxy {
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((client) => {
      this.#keep(client);
      this.#serve(client).catch(() => client.destroy());
    });
  }

  static async start(): Promise<SocksProxy> {
    const proxy = new SocksProxy();
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(client: Socket): Promise<void> {
    await once(client, "data");
    // Version 5, no authentication.
    client.write(Buffer.of(5, 0));
    const [request] = (await once(client, "data")) as [Buffer];
    const [, , , type, length = 0] = request;
    if (type !== 3) throw new Error("only names are known here");
    const port = request.readUInt16BE(5 + length);
    this.asked.push(`${request.toString("latin1", 5, 5 + length)}:${port}`);
    const server = connect(port, "127.0.0.1");
    this.#keep(server);
    await once(server, "connect");
    client.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
    client.pipe(server).pipe(client);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
  }
}
