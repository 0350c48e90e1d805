import { once } from "node:events";
import type { Environment } from "../../../environment/environment.ts";
import { COLORS, type Color } from "../../../environment/color.ts";
import type { ReleaseRecord } from "../../record.ts";
import { mustExist } from "./build.ts";
import { Fleet, type FleetStage, type FleetState } from "./fleet.ts";
import { Leases } from "./leases.ts";
import type { AppProcess } from "./process.ts";
import { MigrationRuns } from "./migration-runs.ts";
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

export interface HostState {
  readonly live: Color;
  readonly colors: Readonly<Record<Color, FleetState>>;
  readonly release?: ReleaseRecord;
  /** The last releases that have ended, newest first. */
  readonly history: readonly ReleaseRecord[];
}

type Routes = { readonly live: Router } & Readonly<Record<Color, Router>>;

/** Ended releases that are kept. */
const HISTORY_LENGTH = 20;

/**
 * The local counterpart of a cluster: processes of two colors, a route to the live one and to each, and the record of the
 * release. It runs in a process of its own, so that the end of a release command does not affect traffic.
 */
export class Host {
  readonly leases: Leases;
  readonly migrations: MigrationRuns;
  readonly #fleets: Readonly<Record<Color, Fleet>>;
  readonly #routes: Routes;
  readonly #state: { live: Color; release?: ReleaseRecord; history: readonly ReleaseRecord[] } = {
    live: "blue",
    history: [],
  };

  private constructor(
    fleets: Readonly<Record<Color, Fleet>>,
    { leaseTtlMs, log }: Pick<HostOptions, "leaseTtlMs" | "log">,
    routes: Routes,
  ) {
    this.migrations = new MigrationRuns((line) => {
      log("migration", line);
    });
    this.leases = new Leases(leaseTtlMs);
    this.#fleets = fleets;
    this.#routes = routes;
  }

  /**
   * Starts blue and routes traffic to it.
   *
   * @throws MissingBuild, or the `listen` error if the port is in use
   */
  static async start({ environment, image, port, log, leaseTtlMs }: HostOptions): Promise<Host> {
    await mustExist(image);
    const fleet = (color: Color) =>
      new Fleet({ color, minReplicas: environment.scaling.minReplicas, environment: appEnvironment(environment), log });
    const fleets = { blue: fleet("blue"), green: fleet("green") };
    const liveFleet = (): Fleet => fleets[host.#state.live];
    const routes: Routes = {
      live: await Router.listen(port, () => backends(liveFleet())),
      blue: await Router.listen(0, () => backends(fleets.blue)),
      green: await Router.listen(0, () => backends(fleets.green)),
    };
    const host = new Host(fleets, { leaseTtlMs, log }, routes);
    fleets.blue.stage({ image, settings: environment.app.settings });
    return host;
  }

  /** Resolves when a live pod is ready; with false if one ended by itself instead, which a restart seldom repairs. */
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

  look(): HostState {
    return { ...this.#state, colors: { blue: this.#fleets.blue.state(), green: this.#fleets.green.state() } };
  }

  /** Replaces the processes of the idle color; changes nothing if the color is live. */
  stage(color: Color, stage: FleetStage): { readonly staged: boolean; readonly live: Color } {
    const staged = this.#state.live !== color;
    if (staged) this.#fleets[color].stage(stage);
    return { staged, live: this.#state.live };
  }

  /** Ends one process of the idle color, as a scale-down does; changes nothing if the color is live. */
  endPod(color: Color, name: string): void {
    if (this.#state.live !== color) this.#fleets[color].end(name);
  }

  hold(color: Color, pods: number | undefined): void {
    this.#fleets[color].hold(pods);
  }

  /** Moves new connections from one color to the other; changes nothing if `from` is not live. */
  moveTraffic(from: Color, to: Color): { readonly moved: boolean; readonly live: Color } {
    const moved = this.#state.live === from;
    if (moved) this.#state.live = to;
    return { moved, live: this.#state.live };
  }

  record(release: ReleaseRecord): void {
    const state = this.#state;
    state.release = release;
    if (release.phase !== "ended") return;
    const others = state.history.filter(({ mark }) => mark !== release.mark);
    state.history = [release, ...others].slice(0, HISTORY_LENGTH);
  }

  async close(): Promise<void> {
    this.migrations.close();
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
