import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { COMPILE_CACHE } from "../compile-cache.ts";

const MAIN = join(import.meta.dirname, "../../app/src/main.ts");

export interface Exit {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The app as a process of its own, as an image would run it. */
export interface AppProcess {
  readonly process: ChildProcess;
  readonly mcpPort: number;
  readonly adminPort: number;
  readonly exit: Promise<Exit>;
}

const running = new Set<ChildProcess>();

/** Ends what a failed test left behind. */
export function killProcesses(): void {
  for (const child of running) child.kill("SIGKILL");
}

function spawnApp(
  environment: Readonly<Record<string, string>>,
  entry: string,
): { process: ChildProcess; exit: Promise<Exit> } {
  const child = spawn(process.execPath, [entry], {
    env: {
      HOST: "127.0.0.1",
      MCP_PORT: "0",
      ADMIN_PORT: "0",
      AUTH_MODE: "off",
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  const exit = once(child, "close").then(([code]: unknown[]) => ({
    ...output,
    code: typeof code === "number" ? code : null,
  }));
  return { process: child, exit };
}

/** Runs a start that is expected to fail, to its end. */
export function runToExit(environment: Readonly<Record<string, string>>, entry = MAIN): Promise<Exit> {
  return spawnApp(environment, entry).exit;
}

/** Starts the app and waits for the line that says where it listens. */
export async function startProcess(
  environment: Readonly<Record<string, string>> = {},
  entry = MAIN,
): Promise<AppProcess> {
  const { process, exit } = spawnApp(environment, entry);
  if (process.stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: process.stdout });
  const listening = new Promise<{ mcpPort: number; adminPort: number }>((resolve) => {
    lines.on("line", (line) => {
      const entry: unknown = JSON.parse(line);
      if (isListening(entry)) resolve(entry);
    });
  });
  const ended = exit.then(({ code, stderr }) => {
    throw new Error(`the app ended with ${code}: ${stderr}`);
  });
  const { mcpPort, adminPort } = await Promise.race([listening, ended]);
  // It rejects when the process ends later, as it should.
  ended.catch(() => undefined);
  return { process, exit, mcpPort, adminPort };
}

function isListening(entry: unknown): entry is { mcpPort: number; adminPort: number } {
  return typeof entry === "object" && entry !== null && "msg" in entry && entry.msg === "listening";
}
