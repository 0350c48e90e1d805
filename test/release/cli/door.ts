import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { writeAddress } from "../../../release/targets/local/address.ts";
import type { ControlRequest } from "../../../release/targets/local/host/control.ts";
import type { AHost } from "../local/a-host.ts";

/** A request that is kept from the host until the test lets it through, or turns it away. */
export interface Kept {
  letThrough(): void;
  turnAway(): void;
}

/** Stands between a command and the host, so that a command can be interrupted at an exact point of what it does. */
export interface Door extends AsyncDisposable {
  /** The folder by which a command comes through this door. */
  readonly home: string;
  /** Resolves with the next request of this kind, which then waits. */
  keep(wanted: (request: ControlRequest) => boolean): Promise<Kept>;
}

export async function openDoor({ control, token, host }: AHost): Promise<Door> {
  const home = await mkdtemp(join(tmpdir(), "bluegreen-door-"));
  let keeper: { wanted: (request: ControlRequest) => boolean; found: (kept: Kept) => void } | undefined;
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await text(incoming);
      if (keeper?.wanted(JSON.parse(body) as ControlRequest)) {
        const { found } = keeper;
        keeper = undefined;
        const verdict = await new Promise<boolean>((resolve) => {
          found({
            letThrough() {
              resolve(true);
            },
            turnAway() {
              resolve(false);
            },
          });
        });
        if (!verdict) return void incoming.destroy();
      }
      const { authorization = "" } = incoming.headers;
      const response = await fetch(control, { method: "POST", headers: { authorization }, body });
      outgoing.writeHead(response.status).end(await response.text());
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await writeAddress(home, { control: url, token, url: host.url, pid: process.pid });
  return {
    home,
    keep: (wanted) => new Promise((found) => (keeper = { wanted, found })),
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections();
      await rm(home, { recursive: true });
    },
  };
}
