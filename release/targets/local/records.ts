import { z } from "zod";
import { Displaced, LeaseHeld } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { systemClock } from "../../system-clock.ts";
import type { AcquireOptions, Authority, Records } from "../../ports/records.ts";
import type { ReleaseRecord } from "../../record.ts";
import { keepRenewed } from "./renewal.ts";
import type { HostClient } from "./host-client.ts";

const leaseSchema = z.union([
  z.object({ epoch: z.number(), ttlMs: z.number() }),
  z.object({ holder: z.string(), secondsLeft: z.number(), renewals: z.number() }),
]);

/** How often a command that waits for a lease checks whether its holder is alive. */
const CHECK_INTERVAL_MS = 500;

/** Keeps the record of a release in the host of this machine. */
export class LocalRecords implements Records {
  readonly #host: HostClient;
  readonly #clock: Clock;

  constructor(host: HostClient, clock = systemClock) {
    this.#host = host;
    this.#clock = clock;
  }

  async read(signal?: AbortSignal): Promise<ReleaseRecord | undefined> {
    return (await this.#host.state(signal)).release;
  }

  async history(signal?: AbortSignal): Promise<readonly ReleaseRecord[]> {
    return (await this.#host.state(signal)).history;
  }

  async holder(signal?: AbortSignal): Promise<string | undefined> {
    return (await this.#host.state(signal)).holder;
  }

  async acquire({ holder, takeOver, signal, waiting }: AcquireOptions): Promise<Authority> {
    let first: { readonly holder: string; readonly renewals: number } | undefined;
    for (;;) {
      const lease = await this.#host.ask({ do: "take-lease", holder, takeOver }, leaseSchema, signal);
      if ("epoch" in lease) return this.#authority(lease.epoch, lease.ttlMs);
      const { secondsLeft } = lease;
      if (first === undefined) waiting(lease.holder, secondsLeft);
      else if (lease.renewals !== first.renewals || lease.holder !== first.holder) throw new LeaseHeld(lease.holder);
      first ??= lease;
      await this.#clock.sleep(Math.min(CHECK_INTERVAL_MS, secondsLeft * 1000 + 1), signal);
    }
  }

  #authority(epoch: number, ttlMs: number): Authority {
    const host = this.#host;
    const lost = new AbortController();
    const end = keepRenewed({
      clock: this.#clock,
      ttlMs,
      renew: async (signal) =>
        (await host.ask({ do: "renew-lease", epoch }, z.object({ renewed: z.boolean() }), signal)).renewed,
      lost: () => {
        lost.abort(new Displaced("another command has taken over this release's lease"));
      },
    });
    return {
      fence: { epoch },
      lost: lost.signal,
      async write(release, signal) {
        await host.ask({ do: "record", epoch, release }, z.object({}), signal);
      },
      async release(signal) {
        end();
        await host.ask({ do: "give-lease-back", epoch }, z.object({}), signal).catch(() => undefined);
      },
    };
  }
}
