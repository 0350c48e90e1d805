import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { jest } from "@jest/globals";
import type { z } from "zod";
import { environment } from "../../../environment/environment.ts";
import { COLORS, other, type Color } from "../../../environment/color.ts";
import type { ControlRequest } from "../../../release/targets/local/host/control.ts";
import { HostClient } from "../../../release/targets/local/host-client.ts";
import { LocalTarget } from "../../../release/targets/local/target.ts";
import { capacityContract } from "../contract/capacity.ts";
import { migrationsContract, type MigratingWorld } from "../contract/migrations.ts";
import { measurementsContract, probeContract, type AnsweringWorld } from "../contract/probe.ts";
import { recordsContract } from "../contract/records.ts";
import { stagingContract, type StagingWorld } from "../contract/staging.ts";
import { trafficContract } from "../contract/traffic.ts";
import type { World } from "../contract/world.ts";
import { image, startHost, until, type AHost } from "./a-host.ts";
import { call } from "./calls.ts";
import single from "./fixtures/environment.ts";

// Every world starts a host and its apps.
jest.setTimeout(30_000);

const NAME = "this machine";
const LEASE_TTL_MS = 400;
const PAIRS = environment({ ...single, scaling: { ...single.scaling, minReplicas: 2, maxReplicas: 4 } });

/** A process that can be killed: afterwards nothing of it reaches the host. */
class MortalClient extends HostClient {
  killed = false;

  override async ask<T>(request: ControlRequest, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    if (this.killed) return await new Promise(() => undefined);
    return await super.ask(request, shape, signal);
  }
}

/** A migration that says that it has started, and ends as a file says. */
async function migratingWorld(): Promise<MigratingWorld> {
  const folder = await mkdtemp(join(tmpdir(), "migrations-"));
  const migrate = fileURLToPath(new URL("./fixtures/migrate.mjs", import.meta.url));
  const settings = { ...single.app.settings, FOLDER: folder };
  const given = environment({
    ...single,
    app: { ...single.app, settings },
    migration: { command: [process.execPath, migrate], timeoutSeconds: 5 },
  });
  const aHost = await startHost({ leaseTtlMs: LEASE_TTL_MS, environment: given });
  const world = disposing(worldOn(aHost, given), aHost);
  return {
    ...world,
    starts: async (mark) => (await readdir(folder)).filter((name) => name.startsWith(`${mark}.start`)).length,
    async finish(mark, outcome, printed) {
      const file = join(folder, `${mark}.end`);
      await writeFile(`${file}.new`, JSON.stringify({ outcome, printed }));
      await rename(`${file}.new`, file);
    },
    async close() {
      await world.close();
      await rm(folder, { recursive: true });
    },
  };
}

function worldOn({ host, control, token }: AHost, given = single): StagingWorld {
  let wanted = given;
  const clients = new Map<LocalTarget, MortalClient>();
  return {
    image: image("version-2"),
    open() {
      const client = new MortalClient({ control, token, url: host.url, pid: process.pid });
      const target = new LocalTarget(wanted, client);
      clients.set(target, client);
      return target;
    },
    // Any time that matters here is that of the lease.
    pass: (ms) => sleep(Math.min(ms, 2 * LEASE_TTL_MS)),
    settle: () => until(host, () => COLORS.every((color) => host.pods(color).every(({ ready }) => ready))),
    moveByOperator(to: Color) {
      host.moveTraffic(other(to), to);
    },
    want(setting, value) {
      const settings = { ...wanted.app.settings, [setting]: value };
      wanted = { ...wanted, app: { ...wanted.app, settings } };
    },
    kill(target) {
      for (const [known, client] of clients) client.killed ||= known === target;
    },
    async close() {
      for (const client of clients.values()) client.killed = true;
      await Promise.resolve();
    },
  };
}

/** One pod of blue: all that traffic and records need. */
async function smallWorld(): Promise<World> {
  const aHost = await startHost({ leaseTtlMs: LEASE_TTL_MS });
  return disposing(worldOn(aHost), aHost);
}

/** Two pods of each color, which answer. */
async function fullWorld(): Promise<AnsweringWorld & StagingWorld> {
  const aHost = await startHost({ leaseTtlMs: LEASE_TTL_MS, environment: PAIRS });
  const { host } = aHost;
  host.stage("green", { image: image("version-2"), settings: {} });
  const world = disposing(worldOn(aHost, PAIRS), aHost);
  await world.settle();
  return {
    ...world,
    async call() {
      await call(host.url);
    },
    async silence() {
      const [pod] = host.pods("blue");
      process.kill(pod?.pid ?? 0, "SIGSTOP");
      await Promise.resolve();
    },
    stopPods: async (color) => {
      await Promise.all(host.pods(color).map((pod) => pod.stop()));
    },
  };
}

const disposing = <W extends World>(world: W, aHost: AHost): W => ({
  ...world,
  async close() {
    await world.close();
    for (const { pid } of COLORS.flatMap((color) => aHost.host.pods(color))) {
      if (pid !== undefined) process.kill(pid, "SIGCONT");
    }
    await aHost[Symbol.asyncDispose]();
  },
});

trafficContract(NAME, smallWorld);
recordsContract(NAME, smallWorld);
capacityContract(NAME, fullWorld);
stagingContract(NAME, fullWorld);
probeContract(NAME, fullWorld);
measurementsContract(NAME, fullWorld);
migrationsContract(NAME, migratingWorld);
