import { expect } from "@jest/globals";
import type { ControlRequest } from "../../../release/targets/local/host/control.ts";
import { image, startHost, type AHost } from "../local/a-host.ts";
import { Caller } from "../local/calls.ts";
import { run, says, start } from "./a-command.ts";
import { openDoor, type Door } from "./door.ts";

/** In each phase, the request that stands for the middle of it. */
export const MIDDLES: Readonly<Record<string, (request: ControlRequest) => boolean>> = {
  stage: (request) => request.do === "stage",
  verify: (request) => request.do === "pods",
  promote: (request) => request.do === "move-traffic",
  bake: (request) => request.do === "pods",
  retire: (request) => request.do === "hold" && request.pods === undefined,
};

/** A host under traffic for many releases, one after the other. */
export class Interrupted implements AsyncDisposable {
  readonly #host: AHost;
  readonly #door: Door;
  readonly #caller: Caller;

  private constructor(host: AHost, door: Door, caller: Caller) {
    this.#host = host;
    this.#door = door;
    this.#caller = caller;
  }

  static async open(options: { readonly leaseTtlMs?: number } = {}): Promise<Interrupted> {
    const host = await startHost(options);
    return new Interrupted(host, await openDoor(host), new Caller(host.host.url));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#caller[Symbol.asyncDispose]();
    await this.#door[Symbol.asyncDispose]();
    await this.#host[Symbol.asyncDispose]();
  }

  /**
   * Starts a release, sends it a signal in the middle of a phase with its request let through or lost, and goes on with another
   * command. No call may fail on the way, and nothing may be left in between.
   */
  async release(phase: string, signal: "SIGINT" | "SIGKILL", effect: "happens" | "is lost", then: "run" | "rollback") {
    const { host } = this.#host;
    const before = host.look().live;
    const middle = MIDDLES[phase] ?? (() => false);
    const kept = this.#door.keep((request) => middle(request) && host.look().release?.phase === phase);
    const command = start(this.#door.home, ["run", "--image", image("version-2"), "--version", "2.0.0"]);
    const request = await kept;
    command.child.kill(signal);
    if (signal === "SIGINT") await says(command.child.stdout, "SIGINT: stopping");
    if (effect === "happens") request.letThrough();
    else request.turnAway();
    const interrupted = await command.finished;

    const gone = await run(this.#host.home, then);
    const { live, release, colors } = host.look();
    expect(this.#caller.failures).toEqual([]);
    expect(this.#caller.calls).toBeGreaterThan(0);
    expect(colors[live].pods.filter(({ ready }) => ready).length).toBeGreaterThan(0);
    expect([colors.blue.heldAt, colors.green.heldAt]).toEqual([undefined, undefined]);
    expect(release?.phase).toBe("ended");
    return { interrupted, gone, moved: live !== before };
  }
}
