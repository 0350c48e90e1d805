import { once } from "node:events";
import type { Environment } from "../../../../environment/environment.ts";
import { COLORS, type Color } from "../../../../environment/color.ts";
import type { ReleaseRecord } from "../../../record.ts";
import type { Server } from "../../../../environment/schema/server.ts";
import { programOf } from "../program.ts";
import { Fleet, type FleetState } from "./fleet.ts";
import { Leases } from "./leases.ts";
import { MigrationRuns } from "./migration-runs.ts";
import { kitVariablesOf, mustHaveOwnPorts } from "./process-variables.ts";
import { isRoutedByRequest, RequestRouter } from "./request-router.ts";
import { Router, type Backend, type Route } from "./router.ts";
import type { Note, ServerProcess } from "./server-process.ts";
import { Watchdog } from "./watchdog.ts";

export interface HostOptions {
  readonly environment: Environment;
  /** What blue starts with: see programOf. */
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
  /** What processes did that they should not have done, the last ones; `total` counts them all. */
  readonly notes: { readonly total: number; readonly last: readonly Note[] };
}

/** What a release stages. */
export interface HostStage {
  readonly image: string;
  readonly settings: Readonly<Record<string, string>>;
  /** @default - no release staged it */
  readonly mark?: string;
  /** @default - the description that the host was started with */
  readonly server?: Server;
}

type Routes = { readonly live: Route } & Readonly<Record<Color, Route>>;

const NOTES_KEPT = 50;

/** Ended releases that are kept. */
const HISTORY_LENGTH = 20;

/**
 * The local counterpart of a cluster: processes of two colors, a route to the live one and to each,
 * and the record of the release. It runs in a process of its own, so that the end of a release
 * command does not affect traffic.
 */
export class Host {
  readonly leases: Leases;
  readonly migrations: MigrationRuns;
  readonly #environment: Environment;
  readonly #fleets: Readonly<Record<Color, Fleet>>;
  readonly #routes: Routes;
  readonly #watchdog: Watchdog;
  readonly #notes: { total: number; last: Note[] };
  readonly #state: { live: Color; release?: ReleaseRecord; history: readonly ReleaseRecord[] } = {
    live: "blue",
    history: [],
  };

  private constructor(parts: Parts) {
    this.leases = new Leases(parts.leaseTtlMs);
    this.migrations = new MigrationRuns((line) => {
      parts.log("migration", line);
    });
    this.#environment = parts.environment;
    this.#fleets = parts.fleets;
    this.#routes = parts.routes;
    this.#watchdog = parts.watchdog;
    this.#notes = parts.notes;
  }

  /**
   * Starts blue and routes traffic to it.
   *
   * @throws MissingBuild, UsageError if a port of the server cannot be told to it, or the `listen`
   * error if the port is in use
   */
  static async start({ environment, image, port, log, leaseTtlMs }: HostOptions): Promise<Host> {
    const { server, scaling } = environment;
    mustHaveOwnPorts(server);
    programOf(image, server);
    const notes = { total: 0, last: [] as Note[] };
    const note = (one: Note): void => {
      notes.total += 1;
      notes.last.push(one);
      if (notes.last.length > NOTES_KEPT) notes.last.shift();
    };
    const watchdog = new Watchdog();
    const fleet = (color: Color) => new Fleet({ color, minReplicas: scaling.minReplicas, watchdog, log, note });
    const fleets = { blue: fleet("blue"), green: fleet("green") };
    const live = () => backends(host.#state.live, fleets, environment);
    const open = routes(environment);
    const opened: Route[] = [];
    try {
      for (const [at, to] of [
        [port, live],
        [0, () => backends("blue", fleets, environment)],
        [0, () => backends("green", fleets, environment)],
      ] as const) {
        opened.push(await open(at, to));
      }
    } catch (error) {
      await watchdog.close();
      for (const route of opened) await route.close();
      throw error;
    }
    const [liveRoute, blue, green] = opened as [Route, Route, Route];
    const host = new Host({
      environment,
      fleets,
      routes: { live: liveRoute, blue, green },
      watchdog,
      notes,
      leaseTtlMs,
      log,
    });
    host.#stageOn("blue", { image, settings: environment.app.settings });
    return host;
  }

  /**
   * Resolves when a live pod is ready; with the reason if one ended by itself instead, which a
   * restart seldom repairs.
   */
  async ready(): Promise<string | undefined> {
    const { pods } = this.#fleets[this.#state.live];
    while (!pods.some(({ ready }) => ready)) {
      const failed = pods.find(({ restarts }) => restarts > 0);
      if (failed !== undefined) return [failed.trouble, ...failed.lastLines.map((line) => `  ${line}`)].join("\n");
      const over = new AbortController();
      await Promise.race(pods.map((pod) => once(pod, "change", { signal: over.signal })));
      over.abort();
    }
    return undefined;
  }

  get url(): string {
    return this.#routes.live.url;
  }

  routeTo(color: Color): string {
    return this.#routes[color].url;
  }

  pods(color: Color): readonly ServerProcess[] {
    return this.#fleets[color].pods;
  }

  look(): HostState {
    const colors = { blue: this.#fleets.blue.state(), green: this.#fleets.green.state() };
    return { ...this.#state, colors, notes: this.#notes };
  }

  /**
   * Replaces the processes of the idle color; changes nothing if the color is live.
   *
   * @throws MissingBuild, UsageError as `start`
   */
  stage(color: Color, stage: HostStage): { readonly staged: boolean; readonly live: Color } {
    const staged = this.#state.live !== color;
    if (staged) this.#stageOn(color, stage);
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
    await this.#watchdog.close();
  }

  #stageOn(color: Color, { image, settings, mark, server = this.#environment.server }: HostStage): void {
    mustHaveOwnPorts(server);
    const program = programOf(image, server);
    const variables = kitVariablesOf(color, server, this.#environment);
    this.#fleets[color].stage({ image, program, server, variables, settings, ...(mark !== undefined && { mark }) });
  }
}

interface Parts {
  readonly environment: Environment;
  readonly fleets: Readonly<Record<Color, Fleet>>;
  readonly routes: Routes;
  readonly watchdog: Watchdog;
  readonly notes: { total: number; last: Note[] };
  readonly leaseTtlMs: number | undefined;
  readonly log: HostOptions["log"];
}

/**
 * As in a cluster: a Service routes connections, and an Ingress requests. A server that keeps its
 * connections needs an Ingress, or clients would stay with the old color.
 */
function routes(environment: Environment): (port: number, backends: () => readonly Backend[]) => Promise<Route> {
  const { path } = environment.server;
  return (port, backends) =>
    isRoutedByRequest(environment)
      ? RequestRouter.listen({ port, path, backends })
      : Router.listen(port, backends, path);
}

/**
 * The ready processes of a color. Sessions in memory, and a Service with affinity, need the same
 * one for one client.
 */
function backends(color: Color, fleets: Readonly<Record<Color, Fleet>>, { server, service }: Environment): Backend[] {
  const ready = fleets[color].pods.flatMap(({ ready, ports, underWay }): Backend[] =>
    ready && ports !== undefined ? [{ port: ports.mcp, color, underWay }] : [],
  );
  return server.sessions === "memory" || service.sessionAffinity === "clientIp" ? ready.slice(0, 1) : ready;
}
