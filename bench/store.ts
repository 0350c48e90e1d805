import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Breaker } from "../app/src/resilience/breaker.ts";
import { Disk } from "../app/src/store/disk/disk.ts";
import { ResilientStore } from "../app/src/store/resilient-store.ts";
import { median, type Measurement } from "./measurement.ts";

const ALONE = 300;
const CALLERS = 64;
const EACH = 50;

/** What it takes to have a write synced to this machine's disk, and what other calls notice of it. */
export async function store(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-bench-"));
  const disk = new Disk({ folder, durability: "volume" });
  const breaker = new Breaker({ name: "database", failureThreshold: 3, recoveryTimeout: 1000 });
  const writes = new ResilientStore({ store: disk, breaker, queues: [] });
  const write = (name: string) => writes.write({ key: name, value: { name, text: "x".repeat(500) } });
  await write("first");

  const taken: number[] = [];
  for (let count = 0; count < ALONE; count += 1) {
    const start = performance.now();
    await write(`alone ${count}`);
    taken.push(performance.now() - start);
  }
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let count = 0; count < EACH; count += 1) await write(`caller ${caller} ${count}`);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  loop.disable();
  await disk.close();
  await rm(folder, { recursive: true });

  taken.sort((one, other) => one - other);
  return [
    { what: "a write synced to disk, one at a time", value: median(taken), unit: "ms", runs: ALONE },
    { what: "  the slowest of a hundred", value: taken[Math.floor(ALONE * 0.99)] ?? NaN, unit: "ms", runs: ALONE },
    { what: `writes synced to disk, ${CALLERS} callers`, value: (CALLERS * EACH) / seconds, unit: "/s", runs: 1 },
    { what: "  event loop held up meanwhile, p99", value: loop.percentile(99) / 1e6, unit: "ms", runs: 1 },
  ];
}
