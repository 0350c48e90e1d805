import { once } from "node:events";
import type { Environment } from "../../../environments/environment.ts";
import { COLORS, type Color } from "../../color.ts";
import type { ReleaseRecord } from "../../record.ts";
import type { Snapshot } from "../../target.ts";
import { mustExist } from "./build.ts";
import { Fleet } from "./fleet.ts";
import { Leases } from "./leases.ts";
import type { AppProcess } from "./process.ts";
import { Router } from "./router.ts";

export interface HostOptions {
  readonly environment: Environment;
  /** The bundle that blue starts with. */
  readonly image: string;
  /** The port of the live route; 0 for any free one. */
  readonly port: number;
  readonly log: (pod: string, line: string) => void;
  /** How long a lease holds without being renewed. @default 10 s */
  readonly leaseTtlMs?: number;
}

/**
 * A cluster's part on this machine: processes of two colors, a route to the live one and to each, and the record of the release.
 *
 * It lives apart from the commands that release, as a cluster does: they come, die and come again, and traffic does not notice.
 */
export class Host {
  readonly leases: Leases;
  readonly #fleets: Readonly<Record<Color, Fleet>>;
  readonly #routes: { readonly live: Router } & Readonly<Record<Color, Router>>;
  readonly #state: { live: Color; release?: ReleaseRecord };

  private constructor(
    fleets: Readonly<Record<Color, Fleet>>,
    routes: { readonly live: Router } & Readonly<Record<Color, Router>>,
    state: { live: Color },
    leases: Leases,
  ) {
    this.leases = leases;
    this.#fleets = fleets;
    this.#routes = routes;
    this.#state = state;
  }

  /**
   * Starts blue and routes traffic to it.
   *
   * @throws MissingBuild, or the `listen` error when the port is taken
   */
  static async start({ environment, image, port, log, leaseTtlMs }: HostOptions): Promise<Host> {
    await mustExist(image);
    const fleet = (color: Color) =>
      new Fleet({ color, minReplicas: environment.scaling.minReplicas, environment: appEnvironment(environment), log });
    const fleets = { blue: fleet("blue"), green: fleet("green") };
    const state: { live: Color } = { live: "blue" };
    const routes = {
      live: await Router.listen(port, () => backends(fleets[state.live])),
      blue: await Router.listen(0, () => backends(fleets.blue)),
      green: await Router.listen(0, () => backends(fleets.green)),
    };
    fleets.blue.stage(image, environment.app.settings);
    return new Host(fleets, routes, state, new Leases(leaseTtlMs));
  }

  /** Resolves when clients find somebody to answer them; with false when the app died instead, which starting it again seldom mends. */
  async ready(): Promise<boolean> {
    const { pods } = this.#fleets[this.#state.live];
    while (!pods.some(({ ready }) => ready)) {
      if (pods.some(({ restarts }) => restarts > 0)) return false;
      const over = new AbortController();
      await Promise.race(pods.map((pod) => once(pod, "change", { signal: over.signal })));
      over.abort();
    }
    return true;
  }

  get url(): string {
    return this.#routes.live.url;
  }

  routeTo(color: Color): string {
    return this.#routes[color].url;
  }

  pods(color: Color): readonly AppProcess[] {
    return this.#fleets[color].pods;
  }

  look(): Omit<Snapshot, "wanted"> {
    const { live, release } = this.#state;
    return { live, release, colors: { blue: this.#fleets.blue.state(), green: this.#fleets.green.state() } };
  }

  /**
   * Replaces the processes of the idle color; refuses, by saying who holds the traffic, when it is this one.
   *
   * @throws MissingBuild
   */
  async stage(
    color: Color,
    image: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<{ readonly staged: boolean; readonly live: Color }> {
    await mustExist(image);
    const staged = this.#state.live !== color;
    if (staged) this.#fleets[color].stage(image, settings);
    return { staged, live: this.#state.live };
  }

  pin(color: Color, pods: number | undefined): void {
    this.#fleets[color].pin(pods);
  }

  /** Moves new connections from one color to the other; refuses, by saying who holds the traffic, when `from` does not. */
  moveTraffic(from: Color, to: Color): { readonly moved: boolean; readonly live: Color } {
    const moved = this.#state.live === from;
    if (moved) this.#state.live = to;
    return { moved, live: this.#state.live };
  }

  record(release: ReleaseRecord): void {
    this.#state.release = release;
  }

  async close(): Promise<void> {
    await Promise.all(COLORS.map((color) => this.#fleets[color].stop()));
    await Promise.all(Object.values(this.#routes).map((route) => route.close()));
  }
}

function appEnvironment({ app }: Environment): Record<string, string> {
  return {
    HOST: "127.0.0.1",
    MCP_PORT: "0",
    ADMIN_PORT: "0",
    ALLOWED_HOSTS: ["127.0.0.1", "localhost", ...app.allowedHosts].join(","),
    ALLOWED_ORIGINS: app.allowedOrigins.join(","),
  };
}

function backends(fleet: Fleet): readonly { readonly port: number }[] {
  return fleet.pods.flatMap(({ ready, ports }) => (ready && ports !== undefined ? [{ port: ports.mcp }] : []));
}
