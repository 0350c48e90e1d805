import { fork, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const leash = new URL("../leash.ts", import.meta.url).href;

const listening = z.object({ msg: z.literal("listening"), mcpPort: z.number(), adminPort: z.number() });

export interface AppProcessOptions {
  readonly name: string;
  /** The bundle to run. */
  readonly image: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Where the app's log lines go. */
  readonly log: (line: string) => void;
}

const PROBE_INTERVAL_MS = 100;
/** Probes in a row that may go without an answer before it counts as not ready: the kubelet's default. A busy machine misses one. */
const SILENT_PROBES = 3;
const LONGEST_RESTART_DELAY_MS = 10_000;
/** An app that does not end by then is killed, as a kubelet does after the grace period. */
const GRACE_PERIOD_MS = 30_000;

/**
 * One app process, kept running as a kubelet keeps a container: started, probed for readiness, started again with a growing
 * delay when it dies, drained with SIGTERM when it is no longer wanted.
 *
 * Emits `change` whenever readiness or the restart count changes.
 */
export class AppProcess extends EventEmitter<{ change: [] }> {
  readonly name: string;
  readonly image: string;
  #options: AppProcessOptions;
  #child: ChildProcess | undefined;
  #ports: { readonly mcp: number; readonly admin: number } | undefined;
  #ready = false;
  #restarts = 0;
  #stopping = false;
  #nextStart: NodeJS.Timeout | undefined;

  constructor(options: AppProcessOptions) {
    super();
    this.name = options.name;
    this.image = options.image;
    this.#options = options;
    this.#start();
  }

  get ready(): boolean {
    return this.#ready;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Where it listens on 127.0.0.1; nothing while it is down. */
  get ports(): { readonly mcp: number; readonly admin: number } | undefined {
    return this.#ports;
  }

  /** Takes it out of service and lets it drain. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#setReady(false);
    clearTimeout(this.#nextStart);
    const child = this.#child;
    if (child === undefined) return;
    const kill = setTimeout(() => child.kill("SIGKILL"), GRACE_PERIOD_MS);
    child.kill("SIGTERM");
    await once(child, "exit");
    clearTimeout(kill);
  }

  #start(): void {
    const { image, settings, log } = this.#options;
    const child = fork(image, [], {
      execArgv: ["--import", leash, "--enable-source-maps"],
      env: { PATH: process.env.PATH, NODE_ENV: "production", ...settings },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        log(line);
        const started = listening.safeParse(parse(line));
        if (!started.success) return;
        if (child !== this.#child) return;
        this.#ports = { mcp: started.data.mcpPort, admin: started.data.adminPort };
        void this.#probe(child, started.data.adminPort);
      });
    }
    child.once("error", (error) => {
      log(`cannot start: ${error.message}`);
    });
    child.once("exit", () => {
      this.#child = undefined;
      this.#ports = undefined;
      this.#setReady(false);
      if (this.#stopping) return;
      const delayMs = Math.min(500 * 2 ** this.#restarts, LONGEST_RESTART_DELAY_MS);
      this.#restarts += 1;
      this.emit("change");
      this.#nextStart = setTimeout(() => {
        this.#start();
      }, delayMs);
    });
  }

  async #probe(child: ChildProcess, adminPort: number): Promise<void> {
    let silent = 0;
    while (child === this.#child && !this.#stopping) {
      const answer = await readiness(adminPort);
      silent = answer === undefined ? silent + 1 : 0;
      // It may have died, or been told to stop, while it was asked.
      if (child === this.#child && (answer !== undefined || silent >= SILENT_PROBES)) this.#setReady(answer ?? false);
      await sleep(PROBE_INTERVAL_MS);
    }
  }

  #setReady(ready: boolean): void {
    const serving = ready && !this.#stopping;
    if (serving === this.#ready) return;
    this.#ready = serving;
    this.emit("change");
  }
}

/** Whether it says that it is ready; nothing when it does not answer. */
async function readiness(adminPort: number): Promise<boolean | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return undefined;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
