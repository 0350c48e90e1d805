import { z } from "zod";
import type { Environment } from "../../../environment/environment.ts";
import { COLORS, other, type Color } from "../../../environment/color.ts";
import { TargetUnreachable, TrafficMoved } from "../../errors.ts";
import { readCalls } from "../../measure/histogram.ts";
import type { Capacity } from "../../ports/capacity.ts";
import type { Measurements } from "../../ports/measurements.ts";
import type { FromPods, Probe } from "../../ports/probe.ts";
import type { Migrations } from "../../ports/migrations.ts";
import type { Staging } from "../../ports/staging.ts";
import type { Target } from "../../ports/target.ts";
import type { Traffic } from "../../ports/traffic.ts";
import { askPage, healthOf, metricsOf, versionOf, type PageQuestion } from "../pages.ts";
import { fromPods } from "../from-pods.ts";
import { settingsDifference } from "../settings-difference.ts";
import { HostClient } from "./host-client.ts";
import { isRoutedByRequest } from "./host/request-router.ts";
import type { Note } from "./host/server-process.ts";
import { portOf } from "./host/process-variables.ts";
import { LocalMigrations } from "./migrations.ts";
import { LocalRecords } from "./records.ts";

const MOVED = z.object({ moved: z.boolean(), live: z.enum(COLORS) });
const STAGED = z.object({ staged: z.boolean(), live: z.enum(COLORS) });

/** Releases to the processes of this machine's host. */
export class LocalTarget implements Target {
  readonly traffic: Traffic;
  readonly capacity: Capacity;
  readonly staging: Staging;
  readonly records: LocalRecords;
  readonly probe: Probe;
  readonly migrations?: Migrations;
  readonly measurements?: Measurements;
  readonly #host: HostClient;
  readonly #server: Environment["server"];
  readonly #metrics?: PageQuestion<readonly [string, string]>;

  constructor(environment: Environment, host: HostClient) {
    const { app, server, migration } = environment;
    this.#host = host;
    this.#server = server;
    this.records = new LocalRecords(host);
    this.traffic = {
      byRequest: isRoutedByRequest(environment),
      live: async (signal) => (await host.state(signal)).live,
      async move(from, to, { epoch }, signal) {
        const { moved, live } = await host.ask({ do: "move-traffic", epoch, from, to }, MOVED, signal);
        if (!moved) throw new TrafficMoved(from, live);
      },
    };
    this.capacity = {
      checkEveryMs: 200,
      color: async (color, signal) => (await host.state(signal)).colors[color],
      async hold(color, pods, { epoch }, signal) {
        await host.ask({ do: "hold", epoch, color, pods }, z.object({}), signal);
      },
    };
    this.staging = {
      async stage({ color, image, mark }, { epoch }, signal) {
        const request = { do: "stage", epoch, color, image, mark, settings: app.settings, server } as const;
        const { staged, live } = await host.ask(request, STAGED, signal);
        if (!staged) throw new TrafficMoved(other(color), live);
      },
      pending: async (live, signal) =>
        settingsDifference({ env: (await host.state(signal)).colors[live].settings }, { env: app.settings }),
    };
    if (migration !== undefined) this.migrations = new LocalMigrations(host, migration, app.settings);
    const { health, version, metrics } = server;
    this.probe = {
      async endpoint(color, signal) {
        const { route, pods } = await host.pods(color, signal);
        const ready = pods.filter(({ ready }) => ready).length;
        return { url: new URL(route), fetch, pods: ready, close: () => Promise.resolve() };
      },
      health: health && ((color, signal) => this.#askPods(color, healthOf(health), signal)),
      async endPod(color, pod, signal) {
        await host.ask({ do: "end-pod", color, pod }, z.object({}), signal);
      },
      versions: version && ((color, signal) => this.#askPods(color, versionOf(version), signal)),
    };
    if (metrics === undefined) return;
    this.#metrics = metricsOf(metrics);
    this.measurements = {
      calls: async (color, signal) => {
        const { pods, unread } = await this.#askPods(color, metricsOf(metrics), signal);
        return { pods: new Map(pods.map(([pod, text]) => [pod, readCalls(text, metrics)])), unread };
      },
    };
  }

  /** @throws TargetUnreachable if no host runs here */
  static async open(environment: Environment): Promise<LocalTarget> {
    return new LocalTarget(environment, await HostClient.open());
  }

  get description(): readonly string[] {
    return this.#host.description;
  }

  /** The ready pods' metrics in the Prometheus text format; none if the server has no metrics. */
  async scrape(color: Color): Promise<readonly string[]> {
    if (this.#metrics === undefined) return [];
    return (await this.#askPods(color, this.#metrics)).pods.map(([, text]) => text);
  }

  /** What processes of the host did that they should not have done, without the first `known` ones, and how many there are. */
  async notes(known: number): Promise<{ readonly total: number; readonly news: readonly Note[] }> {
    const { total, last } = (await this.#host.state()).notes;
    return { total, news: last.slice(Math.max(0, last.length - (total - known))) };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #askPods<T>(color: Color, question: PageQuestion<T>, signal?: AbortSignal): Promise<FromPods<readonly T[]>> {
    const { pods } = await this.#host.pods(color, signal);
    const answers = pods
      .filter(({ ready }) => ready)
      .map(async ({ name, ports }) => {
        // A process has ports of its own here: their numbers are not those of the environment.
        const port = ports === undefined ? 0 : portOf(this.#server, { mcp: 0, ...ports }, question.port);
        if (port === 0) throw new TargetUnreachable(`${name} is down`);
        return await askPage(`http://127.0.0.1:${port}`, name, question, signal);
      });
    return await fromPods(answers, signal);
  }
}
