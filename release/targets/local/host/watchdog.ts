import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./watchdog-main.ts", import.meta.url));

/** What is said to the process of the watchdog. */
export type WatchdogMessage = { readonly keep: number } | { readonly forget: number };

/**
 * Ends the process groups of a host when the host is gone, however that went: `kill -9` leaves it
 * no time to do so itself.
 *
 * Servers in any language cannot be expected to notice that nobody wants them any more. So another
 * process, outside the host's group, waits for the end of the host's channel.
 */
export class Watchdog {
  readonly #groups = new Set<number>();
  #process: ChildProcess;
  #closed = false;

  constructor() {
    this.#process = this.#start();
  }

  /** To be called as soon as a process that leads a group of its own has been started. */
  keep(group: number): void {
    this.#groups.add(group);
    this.#say({ keep: group });
  }

  forget(group: number): void {
    this.#groups.delete(group);
    this.#say({ forget: group });
  }

  /** For use when all groups are gone. Resolves when its process is gone, too. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = once(child, "exit");
    if (child.connected) child.disconnect();
    await ended;
  }

  #start(): ChildProcess {
    // A group of its own, too: Ctrl-C in a terminal reaches all of the host's.
    const child = fork(MAIN, [], { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"], detached: true });
    child.unref();
    child.channel?.unref();
    // Somebody killed it.
    child.once("exit", () => {
      if (this.#closed) return;
      this.#process = this.#start();
      for (const group of this.#groups) this.#say({ keep: group });
    });
    child.on("error", () => undefined);
    return child;
  }

  #say(message: WatchdogMessage): void {
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }
}
