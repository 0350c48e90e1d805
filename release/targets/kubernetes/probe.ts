import type { Server } from "../../../environment/schema/server.ts";
import type { Color } from "../../../environment/color.ts";
import { TargetRefused, TargetUnreachable } from "../../errors.ts";
import { readCalls } from "../../measure/histogram.ts";
import type { Measurements } from "../../ports/measurements.ts";
import type { Endpoint, FromPods, Probe } from "../../ports/probe.ts";
import { healthOf, metricsOf, reason, versionOf, type PageQuestion } from "../pages.ts";
import { fromPods } from "../from-pods.ts";
import type { KubeApi } from "./api/kube-api.ts";
import { podFetch, type PodFetch } from "./pod-fetch.ts";
import { isReady, listPods } from "./pods.ts";

const TIMEOUT_MS = 5000;

/** Where a server answers MCP, and its pages. */
export type ProbedServer = Pick<Server, "port" | "path" | "ports" | "health" | "version" | "metrics">;

/** Reaches the ready pods of a color with port forwards: nothing in the cluster has to expose an idle color. */
export class PodProbe implements Probe {
  readonly #api: KubeApi;
  readonly #server: ProbedServer;
  readonly #endpoints = new Set<PodFetch>();

  constructor(api: KubeApi, server: ProbedServer) {
    this.#api = api;
    this.#server = server;
  }

  async endpoint(color: Color, signal?: AbortSignal): Promise<Endpoint> {
    const pods = await this.#readyPods(color, signal);
    if (pods.length === 0) throw new TargetUnreachable(`${color} has no ready pod`);
    const endpoint = podFetch(this.#api, pods, this.#server.port);
    this.#endpoints.add(endpoint);
    return {
      url: new URL(`http://127.0.0.1:${this.#server.port}${this.#server.path}`),
      fetch: endpoint.fetch,
      pods: pods.length,
      close: async () => {
        this.#endpoints.delete(endpoint);
        await endpoint.close();
      },
    };
  }

  get health(): Probe["health"] {
    const { health } = this.#server;
    return health && ((color, signal) => this.#askPods(color, healthOf(health), signal));
  }

  get versions(): Probe["versions"] {
    const { version } = this.#server;
    return version && ((color, signal) => this.#askPods(color, versionOf(version), signal));
  }

  /** None if the server has no metrics. */
  get measurements(): Measurements | undefined {
    const { metrics } = this.#server;
    if (metrics === undefined) return undefined;
    return {
      calls: async (color, signal) => {
        const { pods, unread } = await this.#askPods(color, metricsOf(metrics), signal);
        return { pods: new Map(pods.map(([pod, scrape]) => [pod, readCalls(scrape, metrics)])), unread };
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#endpoints].map((endpoint) => endpoint.close()));
    this.#endpoints.clear();
  }

  async #readyPods(color: Color, signal?: AbortSignal): Promise<string[]> {
    const pods = await listPods(this.#api, color, signal);
    return pods.filter(isReady).map(({ metadata }) => metadata.name);
  }

  async #askPods<T>(color: Color, question: PageQuestion<T>, signal?: AbortSignal): Promise<FromPods<readonly T[]>> {
    const pods = await this.#readyPods(color, signal);
    return await fromPods(
      pods.map((pod) => this.#askPod(pod, question, signal)),
      signal,
    );
  }

  async #askPod<T>(pod: string, { port: named, path, read }: PageQuestion<T>, signal?: AbortSignal): Promise<T> {
    const port = portNumber(this.#server, named);
    const connection = podFetch(this.#api, [pod], port);
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const url = `http://127.0.0.1:${port}${path}`;
      const response = await connection.fetch(url, {
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return await read(response, pod);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TargetRefused || error instanceof TargetUnreachable) throw error;
      throw new TargetUnreachable(`pod '${pod}' did not answer ${path}: ${reason(error)}`);
    } finally {
      await connection.close();
    }
  }
}

function portNumber({ port, ports }: ProbedServer, named: string | number): number {
  return typeof named === "number" ? named : ({ ...ports, mcp: port }[named] ?? port);
}
