import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { connect, type Era } from "../test/app/running-app.ts";
import { median, type Measurement } from "./measurement.ts";

const CONNECTIONS = 16;

/** What is measured, in turns: the first two are held against each other. */
const SERVERS = {
  app: ["bench/server/app.ts"],
  bare: ["bench/server/bare.ts"],
  perRequest: ["bench/server/app.ts", "--per-request"],
};

const ERAS = ["2025", "2026"] as const;
const METHODS = ["tools/call", "tools/list"] as const;

/** One request as the official client sends it. */
interface Recorded {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Requests per second of the app with all that it puts around the SDK's server, over those of the bare server with the same tools:
 * each in a process of its own, over sockets, in turns.
 */
export async function server(quick: boolean): Promise<Measurement[]> {
  const [rounds, milliseconds] = quick ? [5, 200] : [15, 500];
  const running = await Promise.all(Object.values(SERVERS).map(start));
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

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
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

/** What the official client of an era sends for a call, to be sent again and again without its own cost. */
async function record(port: number, era: Era, method: string): Promise<Recorded> {
  const sent: Recorded[] = [];
  const client = await connect(new URL(`http://127.0.0.1:${port}/mcp`), era, (input, init) => {
    if (typeof init?.body === "string") {
      sent.push({ headers: Object.fromEntries(new Headers(init.headers)), body: init.body });
    }
    return fetch(input, init);
  });
  if (method === "tools/list") await client.listTools();
  else await client.callTool({ name: "forecast_17", arguments: { city: "Berlin", fields: ["temperature"] } });
  await client.close();
  const found = sent.find(({ body }) => body.includes(`"${method}"`));
  if (found === undefined) throw new Error(`the client sent no ${method}`);
  return found;
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

async function start(args: readonly string[]): Promise<Running> {
  const env = { PATH: process.env.PATH, HOST: "127.0.0.1", MCP_PORT: "0", ADMIN_PORT: "0", AUTH_MODE: "off" };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, mcpPort } = JSON.parse(line) as { readonly msg?: string; readonly mcpPort?: number };
    if (msg === "listening" && mcpPort !== undefined) return { child, port: mcpPort };
  }
  throw new Error(`'${args.join(" ")}' ended before it was listening`);
}

async function stop({ child }: Running): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}
