import { randomBytes } from "node:crypto";
import type { Color } from "../../../../environment/color.ts";
import type { Server } from "../../../../environment/schema/server.ts";
import type { ColorState, Problem } from "../../../ports/capacity.ts";
import type { Program } from "../program.ts";
import { ServerProcess, type Note } from "./server-process.ts";
import type { Watchdog } from "./watchdog.ts";

export interface FleetOptions {
  readonly color: Color;
  /** Processes while the color is not held at more. */
  readonly minReplicas: number;
  readonly watchdog: Watchdog;
  readonly log: (pod: string, line: string) => void;
  readonly note: (note: Note) => void;
}

export interface FleetStage {
  readonly image: string;
  readonly program: Program;
  readonly server: Server;
  /** Environment variables that every process gets besides the color's settings. */
  readonly variables: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  /** @default - no release staged it */
  readonly mark?: string;
}

export interface FleetState extends ColorState {
  readonly settings: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** The processes of one color, all of them of the last stage. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #draining = new Set<Promise<void>>();
  #stage: FleetStage | undefined;
  #heldAt: number | undefined;
  #pods: ServerProcess[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get pods(): readonly ServerProcess[] {
    return this.#pods;
  }

  /**
   * Replaces every process. The old ones drain while the new ones start. Does nothing if the mark
   * is the same.
   */
  stage(stage: FleetStage): void {
    if (stage.mark !== undefined && stage.mark === this.#stage?.mark) return;
    this.#stage = stage;
    for (const pod of this.#pods.splice(0)) this.#drain(pod);
    this.#reconcile();
  }

  hold(pods: number | undefined): void {
    this.#heldAt = pods;
    this.#reconcile();
  }

  /** Lets one process drain, and starts another in its place. Does nothing if there is none with this name. */
  end(name: string): void {
    const pod = this.#pods.find((pod) => pod.name === name);
    if (pod === undefined) return;
    this.#pods = this.#pods.filter((other) => other !== pod);
    this.#drain(pod);
    this.#reconcile();
  }

  state(): FleetState {
    const { image, mark, settings = {} } = this.#stage ?? {};
    return {
      image,
      mark,
      settings,
      desired: this.#desired,
      minimum: this.#minimum,
      heldAt: this.#minimum > this.#options.minReplicas ? this.#minimum : undefined,
      pods: this.#pods.map(({ name, ready, restarts }) => ({ name, ready, restarts, current: true })),
      problems: this.#pods
        .filter(({ ready, restarts }) => !ready && restarts > 0)
        .map(({ name, restarts, trouble = "" }) => ({
          what: `${name} ended ${restarts} × by itself: ${trouble}; see the host's log`,
          final: false,
        })),
    };
  }

  async stop(): Promise<void> {
    for (const pod of this.#pods.splice(0)) this.#drain(pod);
    await Promise.all(this.#draining);
  }

  get #minimum(): number {
    return Math.max(this.#options.minReplicas, this.#heldAt ?? 0);
  }

  get #desired(): number {
    return this.#stage === undefined ? 0 : this.#minimum;
  }

  #reconcile(): void {
    const { color, watchdog, log, note } = this.#options;
    if (this.#stage === undefined) return;
    const { program, server, variables, settings } = this.#stage;
    while (this.#pods.length < this.#desired) {
      const name = `${color}-${randomBytes(3).toString("hex")}`;
      const pod = new ServerProcess({
        name,
        program,
        server,
        settings: { ...variables, ...settings },
        watchdog,
        log: (line) => {
          log(name, line);
        },
        note,
      });
      this.#pods.push(pod);
    }
    // Like a ReplicaSet, which removes pods that are not ready first.
    const surplus = this.#pods.toSorted((a, b) => Number(b.ready) - Number(a.ready)).slice(this.#desired);
    this.#pods = this.#pods.filter((pod) => !surplus.includes(pod));
    for (const pod of surplus) this.#drain(pod);
  }

  #drain(pod: ServerProcess): void {
    const gone = pod.stop().finally(() => this.#draining.delete(gone));
    this.#draining.add(gone);
  }
}
