import { join } from "node:path";
import { killProcesses, startProcess } from "../app/app-process.ts";
import { redisIsInstalled, startRedis } from "../redis/server.ts";
import { judge, worstOf, type Revision, type Verdict } from "./referee.ts";
import { report } from "./report.ts";
import { startRolling } from "./rolling.ts";

const SERVER = join(import.meta.dirname, "server.ts");

/** Which call meets which moment of a replacement is chance; each round draws again. */
const ROUNDS = 3;

const ASKS = "the answer to what it asks comes as a request of its own; without a session, that cannot find its call";

/** What is to fail, and why. */
const EXPECTED: Readonly<Record<Revision, Readonly<Record<string, string>>>> = {
  "2026-07-28": {},
  "2025-11-25": {
    "tools-call-sampling": ASKS,
    "tools-call-elicitation": ASKS,
    "elicitation-sep1034-defaults": ASKS,
    "elicitation-sep1330-enums": ASKS,
  },
};

const environment = {
  // The referee comes as a web page of this machine, too.
  ALLOWED_ORIGINS: "localhost,127.0.0.1",
  LOG_LEVEL: "warn",
  REQUEST_STATE_KEY: "the same for all processes of a run",
};

const start = (more: Readonly<Record<string, string>> = {}) => startProcess({ ...environment, ...more }, SERVER);

async function onOneProcess(revision: Revision): Promise<boolean> {
  const app = await start();
  const verdicts = await judge(`http://127.0.0.1:${app.mcpPort}/mcp`, revision);
  app.process.kill("SIGTERM");
  await app.exit;
  return print(`${revision}, one process`, verdicts, EXPECTED[revision]);
}

async function whileRolling(revision: Revision): Promise<boolean> {
  const redis = redisIsInstalled ? await startRedis() : undefined;
  const shared: Readonly<Record<string, string>> = redis === undefined ? {} : { REDIS_URL: redis.restrictedUrl };
  const rolling = await startRolling(() =>
    // A connection for each request, so that the rounds of a call go to different processes; the delay stands for a preStop hook.
    start({ CONNECTION_MAX_AGE: "0ms", DRAIN_DELAY: "300ms", ...shared }),
  );
  try {
    const rounds: (readonly Verdict[])[] = [];
    while (rounds.length < ROUNDS) rounds.push(await judge(rolling.url, revision));
    const { connections, replaced } = rolling;
    const title = `${revision}, ${ROUNDS} rounds over ${connections} connections in turn to two processes, ${replaced} times one replaced, ${redis === undefined ? "without a Redis (none is installed)" : "with a Redis"}`;
    return print(title, worstOf(rounds), EXPECTED[revision]) && replaced > 0;
  } finally {
    await rolling.close();
    await redis?.close();
  }
}

function print(...[title, verdicts, expected]: Parameters<typeof report>): boolean {
  const { text, ok } = report(title, verdicts, expected);
  process.stdout.write(text);
  return ok;
}

/**
 * Runs the suite and prints its verdicts.
 *
 * @returns whether every scenario ended as expected
 */
export async function runSuite(): Promise<boolean> {
  try {
    const outcomes = [
      await onOneProcess("2026-07-28"),
      await onOneProcess("2025-11-25"),
      await whileRolling("2026-07-28"),
    ];
    return outcomes.every(Boolean);
  } finally {
    killProcesses();
  }
}
