import type { Pod } from "../ports/capacity.ts";
import type { Clock } from "../ports/clock.ts";

/** What a bake has seen of a color's pods: which of them were ready, and since when too few are. */
export class PodWatch {
  readonly #clock: Clock;
  readonly #ready = new Set<string>();
  #belowSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  look(pods: readonly Pod[], needed: number): void {
    const ready = pods.filter((pod) => pod.ready);
    for (const { name } of ready) this.#ready.add(name);
    if (ready.length >= needed) this.#belowSince = undefined;
    else this.#belowSince ??= this.#clock.now();
  }

  wasReady({ name }: Pod): boolean {
    return this.#ready.has(name);
  }

  /** How long fewer pods than needed have been ready. */
  get secondsBelow(): number {
    return this.#belowSince === undefined ? 0 : (this.#clock.now() - this.#belowSince) / 1000;
  }
}
