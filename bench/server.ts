import { Agent, request } from "node:http";
import type { Era } from "../test/app/running-app.ts";
import { median, type Measurement } from "./measurement.ts";
import { record, start, stop, type Recorded, type Running } from "./server/process.ts";

const CONNECTIONS = 16;

/** What is measured, in turns: the first two are held against each other. */
const SERVERS = {
  app: ["bench/server/app.ts"],
  bare: ["bench/server/bare.ts"],
  perRequest: ["bench/server/app.ts", "--per-request"],
};

const ERAS = ["2025", "2026"] as const;
const METHODS = ["tools/call", "tools/list"] as const;

/**
 * Requests per second of the app with all that it puts around the SDK's server, over those of the bare server with the same tools:
 * each in a process of its own, over sockets, in turns.
 */
export async function server(quick: boolean): Promise<Measurement[]> {
  const [rounds, milliseconds] = quick ? [5, 200] : [15, 500];
  const running = await Promise.all(Object.values(SERVERS).map((args) => start(args)));
  try {
    const rows: Measurement[] = [];
    for (const era of ERAS) {
      for (const method of METHODS) rows.push(...(await compare(running, era, method, rounds, milliseconds)));
    }
    return rows;
  } finally {
    await Promise.all(running.map(stop));
  }
}

async function compare(
  running: readonly Running[],
  era: Era,
  method: (typeof METHODS)[number],
  rounds: number,
  milliseconds: number,
): Promise<Measurement[]> {
  const recorded = await Promise.all(running.map(({ port }) => record(port, era, method)));
  const perSecond = running.map((): number[] => []);
  // The first round, in which each server compiles what it needs, is not counted.
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, { port }] of running.entries()) {
      const each = await load(port, recorded[index], milliseconds);
      if (round >= 0) perSecond[index]?.push(each);
    }
  }
  const [app = [], bare = [], perRequest = []] = perSecond;
  const over = (ours: readonly number[]) => median(ours.map((each, round) => each / (bare[round] ?? NaN)));
  const what = `${method}, ${era}`;
  return [
    { what: `${what}: bare SDK server`, value: median(bare), unit: "/s", runs: rounds },
    { what: `${what}: app over it`, value: over(app), unit: "×", bar: 0.95, allowed: "least", runs: rounds },
    { what: `${what}: app without hoisted schemas`, value: over(perRequest), unit: "×", runs: rounds },
  ];
}

/** Sends a request again and again for so long, over as many connections as there are; returns how many were answered per second. */
async function load(port: number, recorded: Recorded | undefined, milliseconds: number): Promise<number> {
  if (recorded === undefined) throw new Error("nothing to send");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const { headers, body } = recorded;
  let answered = 0;
  const one = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    request({ host: "127.0.0.1", port, path: "/mcp", method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (text.includes('"result":{') && !text.includes('"isError":true')) resolve(undefined);
        else reject(new Error(`answered ${response.statusCode ?? 0}: ${text}`));
      });
    })
      .on("error", reject)
      .end(body);
    await promise;
  };
  const start = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() - start < milliseconds) {
        await one();
        answered += 1;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  return answered / seconds;
}
