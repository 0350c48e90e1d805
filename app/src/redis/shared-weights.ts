import { z } from "zod";
import { warnOfProgrammingError } from "../resilience/programming-error.ts";
import { readMessage } from "./message.ts";
import type { Redis } from "./redis.ts";

/** Milliseconds after which weights expire, long after the end of their version. */
const FORGOTTEN = 30 * 86_400_000;

const weightSchema = z.object({ pool: z.string(), endpoint: z.string(), weight: z.number().min(0).max(10_000) });

export type Weight = z.output<typeof weightSchema>;

export interface SharedWeightsOptions {
  /** Absent: weights are local to this pod. */
  readonly redis: Redis | undefined;
  /** Pods of one group have the same pools. */
  readonly group: string;
  /** Ignores unknown pools and endpoints. */
  readonly apply: (weight: Weight) => void;
}

/** Carries weights that an operator sets on one pod to all pods, present and future. */
export class SharedWeights {
  readonly #options: SharedWeightsOptions;
  readonly #name: string;
  readonly #ends: (() => void)[] = [];

  constructor(options: SharedWeightsOptions) {
    const { redis, group, apply } = options;
    this.#options = options;
    this.#name = `${redis?.prefix ?? ""}:weights:${group}`;
    if (redis === undefined) return;
    this.#ends.push(
      redis.subscribe(this.#name, (message) => {
        const weight = readMessage(weightSchema, message);
        if (weight !== undefined) apply(weight);
      }),
      redis.events.on(({ type }) => {
        if (type === "up") void this.#read(redis).catch(warnOfProgrammingError);
      }),
    );
  }

  /** Resolves with whether other pods get it. */
  async set(weight: Weight): Promise<boolean> {
    const { redis, apply } = this.#options;
    apply(weight);
    if (redis === undefined) return false;
    const text = JSON.stringify(weight);
    try {
      await redis.command(["HSET", this.#name, JSON.stringify([weight.pool, weight.endpoint]), text]);
      await redis.command(["PEXPIRE", this.#name, String(FORGOTTEN)]);
      await redis.publish(this.#name, text);
      return true;
    } catch (error) {
      warnOfProgrammingError(error);
      return false;
    }
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  async #read(redis: Redis): Promise<void> {
    const texts = z.array(z.string()).parse(await redis.command(["HVALS", this.#name]));
    for (const text of texts) {
      const weight = readMessage(weightSchema, text);
      if (weight !== undefined) this.#options.apply(weight);
    }
  }
}
