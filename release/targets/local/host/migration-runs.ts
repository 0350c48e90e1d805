import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** What a migration on this machine is started with. */
export interface MigrationRun {
  readonly mark: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

export interface MigrationState {
  readonly state: "created" | "running" | "passed" | "failed";
  /** Why it failed. @default - it did not */
  readonly reason?: string;
  /** The last lines that it printed. */
  readonly log: readonly string[];
}

interface Run extends MigrationState {
  readonly of: MigrationRun;
}

const LOG_LINES = 20;

/** A line that is longer has lost its end. Characters. */
const LONGEST_LINE = 1000;

/** A program that does not end by then is killed. */
const GRACE_MS = 5000;

/**
 * The migrations of a host, by the marks of their releases: each a process that starts once. It runs in the host, so that the
 * end of a release command does not affect it.
 */
export class MigrationRuns {
  readonly #runs = new Map<string, Run>();
  readonly #children = new Set<ChildProcess>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Does nothing if there is one with this mark. */
  create(of: MigrationRun): void {
    if (!this.#runs.has(of.mark)) this.#runs.set(of.mark, { of, state: "created", log: [] });
  }

  /** Starts the run, unless it has started or another one runs. */
  start(mark: string): void {
    const run = this.#runs.get(mark);
    if (run?.state !== "created" || this.#children.size > 0) return;
    this.#start(run.of);
  }

  /** Nothing if there is none with this mark. */
  look(mark: string): MigrationState | undefined {
    const run = this.#runs.get(mark);
    return run && { state: run.state, log: run.log, ...(run.reason !== undefined && { reason: run.reason }) };
  }

  close(): void {
    for (const child of this.#children) killGroup(child, "SIGKILL");
  }

  #start(of: MigrationRun): void {
    const [program = "", ...args] = of.command;
    const log: string[] = [];
    const set = (state: MigrationState["state"], reason?: string) => {
      this.#runs.set(of.mark, { of, state, log, ...(reason !== undefined && { reason }) });
    };
    const env = { PATH: process.env.PATH, ...of.environment };
    // A group of its own: a shell's children end with it.
    const child = spawn(program, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    set("running");
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line.slice(0, LONGEST_LINE));
        log.splice(0, log.length - LOG_LINES);
        this.#log(line);
      });
    }
    let late = false;
    const timeout = setTimeout(() => {
      late = true;
      killGroup(child, "SIGTERM");
      setTimeout(() => {
        killGroup(child, "SIGKILL");
      }, GRACE_MS).unref();
    }, of.timeoutSeconds * 1000);
    const ended = (problem?: string) => {
      if (!this.#children.delete(child)) return;
      clearTimeout(timeout);
      if (late) set("failed", `no end after ${of.timeoutSeconds} s`);
      else set(problem === undefined ? "passed" : "failed", problem);
    };
    child.once("error", (error) => {
      ended(error.message);
    });
    child.once("close", (code, signal) => {
      ended(code === 0 ? undefined : signal === null ? `exit code ${code}` : `killed by ${signal}`);
    });
  }
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
