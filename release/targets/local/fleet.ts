import { randomBytes } from "node:crypto";
import type { Color } from "../../color.ts";
import type { ColorState } from "../../target.ts";
import { AppProcess } from "./process.ts";

export interface FleetOptions {
  readonly color: Color;
  /** Processes without a pin. */
  readonly minReplicas: number;
  /** Environment variables that every process gets besides the color's settings. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (pod: string, line: string) => void;
}

/** The processes of one color: as many as it is told to have, all running what was staged last. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #draining = new Set<Promise<void>>();
  #image: string | undefined;
  #settings: Readonly<Record<string, string>> = {};
  #pinned: number | undefined;
  #pods: AppProcess[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get pods(): readonly AppProcess[] {
    return this.#pods;
  }

  /** Replaces every process. The old ones drain while the new ones start: nothing routes to an idle color. */
  stage(image: string, settings: Readonly<Record<string, string>>): void {
    this.#image = image;
    this.#settings = settings;
    for (const pod of this.#pods.splice(0)) this.#drain(pod);
    this.#reconcile();
  }

  pin(pods: number | undefined): void {
    this.#pinned = pods;
    this.#reconcile();
  }

  state(): ColorState {
    return {
      image: this.#image,
      settings: this.#settings,
      desired: this.#desired,
      pinned: this.#pinned,
      pods: this.#pods.map(({ name, ready, restarts, image }) => ({ name, ready, restarts, image })),
    };
  }

  async stop(): Promise<void> {
    for (const pod of this.#pods.splice(0)) this.#drain(pod);
    await Promise.all(this.#draining);
  }

  get #desired(): number {
    return this.#image === undefined ? 0 : Math.max(this.#options.minReplicas, this.#pinned ?? 0);
  }

  #reconcile(): void {
    const { color, environment, log } = this.#options;
    const image = this.#image;
    if (image === undefined) return;
    while (this.#pods.length < this.#desired) {
      const name = `${color}-${randomBytes(3).toString("hex")}`;
      const settings = { ...environment, ...this.#settings, APP_COLOR: color };
      this.#pods.push(
        new AppProcess({
          name,
          image,
          settings,
          log: (line) => {
            log(name, line);
          },
        }),
      );
    }
    // As a ReplicaSet does it: pods that serve are the last to go.
    const surplus = this.#pods.toSorted((a, b) => Number(b.ready) - Number(a.ready)).slice(this.#desired);
    this.#pods = this.#pods.filter((pod) => !surplus.includes(pod));
    for (const pod of surplus) this.#drain(pod);
  }

  #drain(pod: AppProcess): void {
    const gone = pod.stop().finally(() => this.#draining.delete(gone));
    this.#draining.add(gone);
  }
}
