import { z } from "zod";
import type { Environment } from "../../../environments/environment.ts";
import { COLORS, other, type Color } from "../../color.ts";
import { releaseRecordSchema, type ReleaseRecord } from "../../record.ts";
import {
  LeaseHeld,
  TargetUnreachable,
  TrafficMoved,
  UsageError,
  type Endpoint,
  type Lease,
  type PodHealth,
  type Snapshot,
  type Target,
} from "../../target.ts";
import { askAdminPort, HEALTH, METRICS, reason, type AdminQuestion } from "../admin-port.ts";
import { keepRenewed } from "../lease.ts";
import { homeFolder, readAddress, type HostAddress } from "./address.ts";
import type { ControlRequest } from "./control.ts";

const REQUEST_TIMEOUT_MS = 5000;

const podSchema = z.object({ name: z.string(), ready: z.boolean(), restarts: z.number(), image: z.string() });
const colorSchema = z.object({
  image: z.string().optional(),
  settings: z.record(z.string(), z.string()),
  desired: z.number(),
  pinned: z.number().optional(),
  pods: z.array(podSchema),
});
const snapshotSchema = z.object({
  live: z.enum(COLORS),
  colors: z.object({ blue: colorSchema, green: colorSchema }),
  release: releaseRecordSchema.optional(),
});
const podsSchema = z.object({
  route: z.url(),
  pods: z.array(z.object({ name: z.string(), adminPort: z.number().optional() })),
});
const refusalSchema = z.object({ error: z.string() });
const leaseSchema = z.union([
  z.object({ id: z.string(), ttlMs: z.number() }),
  z.object({ holder: z.string(), secondsLeft: z.number() }),
]);

/** Releases to the processes of this machine's host. */
export class LocalTarget implements Target {
  readonly #environment: Environment;
  readonly #address: HostAddress;
  #lease = "";

  private constructor(environment: Environment, address: HostAddress) {
    this.#environment = environment;
    this.#address = address;
  }

  /** @throws TargetUnreachable when no host runs here */
  static async open(environment: Environment): Promise<LocalTarget> {
    return new LocalTarget(environment, await readAddress(homeFolder()));
  }

  async look(): Promise<Snapshot> {
    const snapshot = snapshotSchema.parse(await this.#ask({ do: "look" }));
    return { ...snapshot, wanted: this.#environment.app.settings };
  }

  async stage(color: Color, image: string): Promise<void> {
    const { settings } = this.#environment.app;
    const answer = await this.#ask({ do: "stage", lease: this.#lease, color, image, settings });
    const { staged, live } = z.object({ staged: z.boolean(), live: z.enum(COLORS) }).parse(answer);
    if (!staged) throw new TrafficMoved(other(color), live);
  }

  async pin(color: Color, pods: number | undefined): Promise<void> {
    await this.#ask({ do: "pin", lease: this.#lease, color, pods });
  }

  async moveTraffic(from: Color, to: Color): Promise<void> {
    const answer = await this.#ask({ do: "move-traffic", lease: this.#lease, from, to });
    const { moved, live } = z.object({ moved: z.boolean(), live: z.enum(COLORS) }).parse(answer);
    if (!moved) throw new TrafficMoved(from, live);
  }

  async record(release: ReleaseRecord): Promise<void> {
    await this.#ask({ do: "record", lease: this.#lease, release });
  }

  async lease(holder: string, takeOver: boolean): Promise<Lease> {
    const taken = leaseSchema.parse(await this.#ask({ do: "take-lease", holder, takeOver }));
    if ("holder" in taken) throw new LeaseHeld(taken.holder, taken.secondsLeft);
    const { id: lease, ttlMs } = taken;
    this.#lease = lease;
    return keepRenewed(ttlMs, {
      renew: async () =>
        z.object({ renewed: z.boolean() }).parse(await this.#ask({ do: "renew-lease", lease })).renewed,
      giveBack: async () => {
        await this.#ask({ do: "give-lease-back", lease });
      },
    });
  }

  async endpoint(color: Color): Promise<Endpoint> {
    const { route } = await this.#pods(color);
    return { url: new URL(route), fetch };
  }

  async health(color: Color): Promise<readonly PodHealth[]> {
    return await this.#askPods(color, HEALTH);
  }

  async metrics(color: Color): Promise<ReadonlyMap<string, string>> {
    return new Map(await this.#askPods(color, METRICS));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #pods(color: Color): Promise<z.output<typeof podsSchema>> {
    return podsSchema.parse(await this.#ask({ do: "pods", color }));
  }

  async #askPods<T>(color: Color, question: AdminQuestion<T>): Promise<T[]> {
    const { pods } = await this.#pods(color);
    return await Promise.all(
      pods.map(async ({ name, adminPort }) => {
        if (adminPort === undefined) throw new TargetUnreachable(`${name} is down`);
        return await askAdminPort(`http://127.0.0.1:${adminPort}`, name, question);
      }),
    );
  }

  /** @throws UsageError with the host's own words when it refused, TargetUnreachable when it did not answer */
  async #ask(request: ControlRequest): Promise<unknown> {
    const { control, token } = this.#address;
    const { status, answer } = await post(control, token, request).catch((error: unknown) => {
      throw new TargetUnreachable(
        `the local host at ${control} does not answer (${reason(error)}); is 'npm run local' running?`,
      );
    });
    if (status === 200) return answer;
    const { error } = refusalSchema.parse(answer);
    throw status === 422 ? new UsageError(error) : new TargetUnreachable(error);
  }
}

async function post(control: string, token: string, request: ControlRequest) {
  const response = await fetch(control, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  return { status: response.status, answer: await response.json() };
}
