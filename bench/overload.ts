import { median, type Measurement } from "./measurement.ts";
import { openLoop, type Sample } from "./server/open-loop.ts";
import { record, start, stop, type Recorded, type Running } from "./server/process.ts";

/**
 * Milliseconds: the knee is the highest rate at which 95 % of all calls are answered within them.
 */
const OBJECTIVE = 50;

/** Calls a second that make each server compile its code, and that occupy one completely. */
const WARM_UP_RATE = 1000;
const FULL_RATE = 4000;

/** Halvings of the range in which the knee is searched. */
const STEPS = 6;

interface Point {
  /** Calls a second that were answered, and that were rejected. */
  readonly goodput: number;
  readonly rejected: number;
  /** Milliseconds, of the calls that were answered. */
  readonly p95: number;
  /** The same of all calls: one that was not answered took for ever. */
  readonly p95OfAll: number;
  /** Seconds of processor time that the server took in each second. */
  readonly cpu: number;
}

/**
 * The app beyond its capacity: calls arrive at a steady rate, whether earlier ones were answered or
 * not, at the knee and at twice its rate. The same without shedding shows what shedding is for.
 */
export async function overload(quick: boolean): Promise<Measurement[]> {
  const seconds = quick ? 1 : 3;
  const rounds = quick ? 1 : 3;
  const shedding = await start(["bench/server/app.ts"]);
  const unlimited = await start(["bench/server/app.ts"], { ADMISSION_TIME: "0s" });
  try {
    const request = bytesOf(await record(shedding.port, "2026", "tools/call"));
    const at = (server: Running, rate: number) => measure(server, request, rate, seconds);
    // The first runs do not count: in them, each server compiles its code.
    for (const server of [shedding, unlimited, shedding, unlimited]) await at(server, WARM_UP_RATE);
    const full = await at(unlimited, FULL_RATE);
    const cpuOfCall = full.cpu / full.goodput;
    const shed = await at(shedding, FULL_RATE);
    const cpuOf503 = (shed.cpu - shed.goodput * cpuOfCall) / shed.rejected;
    const capacity = 1 / cpuOfCall;

    const knee = await findKnee(capacity, (rate) => at(shedding, rate));
    const points = { knee: [] as Point[], beyond: [] as Point[], unshed: [] as Point[] };
    for (let round = 0; round < rounds; round += 1) {
      points.knee.push(await at(shedding, knee));
      points.beyond.push(await at(shedding, 2 * knee));
      points.unshed.push(await at(unlimited, 2 * knee));
    }
    const over = (some: readonly Point[]) =>
      median(some.map(({ goodput }, round) => goodput / (points.knee[round]?.goodput ?? NaN)));
    const p95 = (some: readonly Point[]) => median(some.map((point) => point.p95));
    const ceiling = (1 - 2 * knee * cpuOf503) / (1 - cpuOf503 / cpuOfCall);

    const runs = rounds;
    return [
      { what: "overload: processor time of a call", value: 1000 * cpuOfCall, unit: "ms", runs: 1 },
      { what: "overload: processor time of a 503", value: 1000 * cpuOf503, unit: "ms", runs: 1 },
      { what: "overload: capacity", value: capacity, unit: "/s", runs: 1 },
      { what: `overload: knee (p95 of ${OBJECTIVE} ms)`, value: knee, unit: "/s", runs: 1 },
      { what: "at the knee: p95", value: p95(points.knee), unit: "ms", runs },
      {
        what: "2 × the knee: goodput over the knee's",
        value: over(points.beyond),
        unit: "×",
        bar: 0.9,
        allowed: "least",
        runs,
      },
      { what: "2 × the knee: p95 of admitted calls", value: p95(points.beyond), unit: "ms", bar: 2 * OBJECTIVE, runs },
      ...(2 * knee > 1.5 * capacity
        ? [
            {
              what: "2 × the knee: highest goodput possible",
              value: (ceiling * capacity) / knee,
              unit: "×" as const,
              runs,
            },
          ]
        : []),
      { what: "2 × the knee without shedding: goodput", value: over(points.unshed), unit: "×", runs },
      { what: "2 × the knee without shedding: p95", value: p95(points.unshed), unit: "ms", runs },
    ];
  } finally {
    await Promise.all([shedding, unlimited].map(stop));
  }
}

async function findKnee(capacity: number, at: (rate: number) => Promise<Point>): Promise<number> {
  let [low, high] = [0, 1.2 * capacity];
  for (let step = 0; step < STEPS; step += 1) {
    const rate = (low + high) / 2;
    // A second try: one pause of the machine must not decide.
    if ((await at(rate)).p95OfAll <= OBJECTIVE || (await at(rate)).p95OfAll <= OBJECTIVE) low = rate;
    else high = rate;
  }
  if (low === 0) throw new Error(`the server misses a p95 of ${OBJECTIVE} ms at ${Math.round(high)} calls a second`);
  return low;
}

async function measure(server: Running, request: Buffer, rate: number, seconds: number): Promise<Point> {
  let cpu = 0;
  const samples = await openLoop({
    port: server.port,
    request,
    rate,
    warmUp: 1,
    seconds,
    begin: async () => {
      cpu -= await processorSeconds(server);
    },
    end: async () => {
      cpu += await processorSeconds(server);
    },
  });
  const answered = samples.filter(({ status }) => status === 200);
  return {
    goodput: answered.length / seconds,
    rejected: samples.filter(({ status }) => status === 503).length / seconds,
    p95: p95Of(answered.map(latencyOf)),
    p95OfAll: p95Of(samples.map((sample) => (sample.status === 200 ? latencyOf(sample) : Infinity))),
    cpu: cpu / seconds,
  };
}

const latencyOf = ({ latency = Infinity }: Sample) => latency;

function p95Of(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(0.95 * values.length)] ?? Infinity;
}

async function processorSeconds({ adminPort }: Running): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort ?? 0}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (.+)$/m.exec(text)?.[1]);
}

function bytesOf({ headers, body }: Recorded): Buffer {
  const all = { host: "localhost", ...headers, "content-length": String(Buffer.byteLength(body)) };
  const lines = ["POST /mcp HTTP/1.1", ...Object.entries(all).map((pair) => pair.join(": "))];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
