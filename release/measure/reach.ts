import { TargetRefused, TargetUnreachable } from "../errors.ts";
import type { Endpoint } from "../ports/probe.ts";
import type { Traffic } from "../ports/traffic.ts";

/**
 * Tells failures of the way to a color from failures of the color.
 *
 * Calls of a gate may pass through the target, such as a port forward through an API server. A missing right or an outage
 * there says nothing about the version.
 */
export class Reach {
  readonly endpoint: Endpoint;
  readonly #traffic: Traffic;
  #fault: Error | undefined;

  constructor(endpoint: Endpoint, traffic: Traffic) {
    const { fetch } = endpoint;
    this.#traffic = traffic;
    this.endpoint = {
      ...endpoint,
      fetch: async (...request) => {
        try {
          return await fetch(...request);
        } catch (error) {
          if (error instanceof TargetUnreachable || error instanceof TargetRefused) this.#fault = error;
          throw error;
        }
      },
    };
  }

  /**
   * To be called when a call has failed.
   *
   * @throws TargetUnreachable, TargetRefused if the way there is broken, or the target does not answer at this moment
   */
  async check(signal: AbortSignal): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    await this.#traffic.live(signal);
  }
}
