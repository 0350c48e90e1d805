import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { withPorts } from "../../../../environment/ports-in-command.ts";
import type { Server } from "../../../../environment/schema/server.ts";
import type { Program } from "../program.ts";
import { eachLine } from "./each-line.ts";
import { freePort } from "./free-port.ts";
import { inheritedVariables, portOf, portVariables, tellablePorts, type Ports } from "./process-variables.ts";
import { inWords, isReady, probeIntervalMs, type Asked } from "./readiness.ts";
import { UnderWay } from "./under-way.ts";
import type { Watchdog } from "./watchdog.ts";

export interface ServerProcessOptions {
  readonly name: string;
  readonly program: Program;
  readonly server: Server;
  /** Environment variables besides those with the ports. */
  readonly settings: Readonly<Record<string, string>>;
  readonly watchdog: Pick<Watchdog, "keep" | "forget">;
  /** Gets the lines that the program writes, and some about it. */
  readonly log: (line: string) => void;
  /** Gets what the process did that it should not have done. @default - nobody is told */
  readonly note?: (note: Note) => void;
}

/** What a process did that it should not have done. */
export interface Note {
  /**
   * `ended` by itself; `killed`, because it did not stop in time; `cut` calls that were under way
   * when it was stopped.
   */
  readonly kind: "ended" | "killed" | "cut";
  readonly sentence: string;
}

/**
 * Probes in a row that may go without an answer before it counts as not ready: a busy machine
 * misses one.
 */
const SILENT_PROBES = 3;
const LONGEST_RESTART_DELAY_MS = 10_000;
/** What Kubernetes gives a pod. */
const DEFAULT_GRACE_SECONDS = 30;
/** Lines that are kept for a message about its end. */
const LAST_LINES = 8;

/**
 * One process of a server, kept running as a kubelet keeps a container: started, probed for
 * readiness, started again with a growing delay when it ends, told to stop by a signal when it is
 * no longer wanted. It ends with its first process, as a container does: the rest of its process
 * group is killed then.
 *
 * Emits `change` whenever readiness or the restart count changes.
 */
export class ServerProcess extends EventEmitter<{ change: [] }> {
  readonly name: string;
  /** The calls that a router has sent to it. */
  readonly underWay = new UnderWay();
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #ports: Ports | undefined;
  #ready = false;
  #restarts = 0;
  #stopping = false;
  #nextStart: NodeJS.Timeout | undefined;
  #lastLines: string[] = [];
  /** Why the host killed it. */
  #killedFor: string | undefined;
  #trouble: string | undefined;

  constructor(options: ServerProcessOptions) {
    super();
    this.name = options.name;
    this.#options = options;
    void this.#start();
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
  get ports(): Ports | undefined {
    return this.#ports;
  }

  /** Why it ended by itself the last time; none if it never did. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The last lines that it wrote. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /**
   * Takes it out of service and ends it. Resolves when its process group is gone.
   *
   * A server with a pause before its end gets no signal while calls that a router has sent to it
   * are under way, for the length of that pause.
   */
  async stop(): Promise<void> {
    const { name, server, note, log } = this.#options;
    const { stop } = server;
    this.#stopping = true;
    this.#setReady(false);
    clearTimeout(this.#nextStart);
    const child = this.#child;
    if (child?.pid === undefined) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    if (stop.pause !== "none") await this.underWay.idle(stop.pauseSeconds * 1000);
    const cut = this.underWay.count;
    if (cut > 0) note?.({ kind: "cut", sentence: `${name} was stopped with ${cut} calls under way` });
    const graceMs = (stop.graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
    const kill = setTimeout(() => {
      const what = `did not end within ${graceMs / 1000} s after ${stop.signal} and was killed`;
      log(what);
      note?.({ kind: "killed", sentence: `${name} ${what}` });
      killGroup(child.pid);
    }, graceMs);
    child.kill(stop.signal);
    await ended;
    clearTimeout(kill);
  }

  async #start(): Promise<void> {
    const { program, server, settings, log, watchdog } = this.#options;
    const ports = await portsFor(server);
    if (this.#stopping) return;
    const [file = "", ...args] = withPorts(program.command, ports);
    const asked: Asked = {
      portOf: (reference) => portOf(server, ports, reference),
      folder: program.folder,
      env: {
        ...(program.inherits ? inheritedVariables() : { PATH: process.env.PATH, NODE_ENV: "production" }),
        ...settings,
        ...portVariables(server, ports),
      },
    };
    const child = spawn(file, args, {
      cwd: program.folder,
      env: asked.env,
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, so that it can be ended with all that it has started.
      detached: true,
    });
    if (child.pid !== undefined) watchdog.keep(child.pid);
    this.#child = child;
    this.#ports = ports;
    this.#killedFor = undefined;
    this.#lastLines = [];
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, (line) => {
        if (line.trim() !== "") this.#lastLines = [...this.#lastLines.slice(1 - LAST_LINES), line];
        log(line);
      });
    }
    child.once("error", (error) => {
      if (child.pid === undefined) this.#ended(child, `cannot be started: ${whyNot(error, file, program.folder)}`);
    });
    child.once("exit", (code, signal) => {
      killGroup(child.pid);
      if (child.pid !== undefined) watchdog.forget(child.pid);
      const how = signal === null ? `exited with code ${String(code)}` : `was ended by ${signal}`;
      this.#ended(child, this.#killedFor ?? how);
    });
    await this.#probe(child, asked);
  }

  #ended(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    const { name, log, note } = this.#options;
    this.#child = undefined;
    this.#ports = undefined;
    this.#setReady(false);
    if (this.#stopping) return;
    log(how);
    const delayMs = Math.min(500 * 2 ** this.#restarts, LONGEST_RESTART_DELAY_MS);
    this.#restarts += 1;
    this.#trouble = how;
    const last = this.#lastLines.at(-1);
    const itself = last === undefined ? "" : `; its last line: ${last.slice(0, 200)}`;
    note?.({ kind: "ended", sentence: `${name} ${how}${itself}` });
    this.emit("change");
    this.#nextStart = setTimeout(() => {
      void this.#start();
    }, delayMs);
  }

  async #probe(child: ChildProcess, asked: Asked): Promise<void> {
    const { readiness, startupSeconds } = this.#options.server.probes;
    const mustAnswerBy = performance.now() + startupSeconds * 1000;
    let started = false;
    let silent = 0;
    while (child === this.#child && !this.#stopping) {
      const answer = await isReady(readiness, asked);
      silent = answer === undefined ? silent + 1 : 0;
      started ||= answer === true;
      // It may have ended, or been told to stop, while it was asked.
      if (child !== this.#child) return;
      if (answer !== undefined || silent >= SILENT_PROBES) this.#setReady(answer ?? false);
      if (!started && performance.now() > mustAnswerBy) {
        this.#killedFor = `was not ready within ${startupSeconds} s (${inWords(readiness, asked)})`;
        killGroup(child.pid);
        return;
      }
      await sleep(probeIntervalMs(readiness));
    }
  }

  #setReady(ready: boolean): void {
    const serving = ready && !this.#stopping;
    if (serving === this.#ready) return;
    this.#ready = serving;
    this.emit("change");
  }
}

/** Free ones for all that the server can be told of. */
async function portsFor(server: Server): Promise<Ports> {
  const others = await Promise.all(
    tellablePorts(server).map(async (name): Promise<[string, number]> => [name, await freePort()]),
  );
  return { ...Object.fromEntries(others), mcp: await freePort() };
}

function killGroup(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // It is empty.
  }
}

/** The system says the same of a program and of a folder that are not there. */
function whyNot(error: Error, file: string, folder: string): string {
  if (!("code" in error) || error.code !== "ENOENT") return error.message;
  return `there is no program '${file}' on the PATH, or no folder '${folder}'`;
}
