import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../../../errors.ts";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Whether a shell reads `program`, as cdktf does with the command of an app. @default false */
  readonly shell?: boolean;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** In words, such as `terraform plan`. */
  readonly what: string;
  /** Whether an abort waits for the end instead of interrupting the process. @default false */
  readonly completes?: boolean;
  readonly progress: (message: string) => void;
}

export interface Ended {
  readonly code: number;
  /** The signal that ended it, such as SIGKILL of a machine without memory. @default - it ended by itself */
  readonly killedBy: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The JSON of a plan has to fit. Of a longer stream the end is kept. */
const MAX_OUTPUT = 16 * 1024 * 1024;

const SAY_AFTER_MS = 2000;

/** How long an interrupted process may take to unlock its state. */
const INTERRUPT_MS = 5000;

/**
 * Runs a program in a process group of its own, so that Ctrl-C in a terminal reaches this process alone.
 *
 * @throws the signal's reason if it aborts; a program that `completes` has ended by then
 * @throws UsageError if there is no such program
 */
export async function run(command: Command, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  const { program, args, shell = false, cwd, env, what, completes = false, progress } = command;
  const child = spawn(program, [...args], { cwd, env, shell, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] = (output[name] + text).slice(-MAX_OUTPUT);
    });
  }
  const ended = new Promise<Pick<Ended, "code" | "killedBy">>((resolve, reject) => {
    child.once("error", reject).once("close", (code, signal) => {
      resolve({ code: code ?? 1, killedBy: signal ?? undefined });
    });
  });
  const interrupt = () => {
    if (completes) progress(`${what} is running: waiting until it has ended …`);
    else if (child.pid !== undefined) interruptGroup(child.pid);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  const slow = setTimeout(() => {
    progress(`${what} …`);
  }, SAY_AFTER_MS);
  try {
    const end = await (completes ? ended : Promise.race([ended, afterAbort(signal, ended)]));
    if (!completes) signal.throwIfAborted();
    return { ...end, ...output };
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new UsageError(`could not run '${program}': it is not in the PATH; install it`);
  } finally {
    clearTimeout(slow);
    signal.removeEventListener("abort", interrupt);
  }
}

/** Ends with the signal's reason, after the process has had time to end by itself. */
async function afterAbort(signal: AbortSignal, ended: Promise<unknown>): Promise<never> {
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
  });
  await Promise.race([ended, sleep(INTERRUPT_MS, undefined, { ref: false })]);
  throw signal.reason;
}

function interruptGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGINT");
  } catch {
    // It has ended.
  }
}

const isMissing = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT";
