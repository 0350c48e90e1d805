import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const LEASH = new URL("../release/targets/local/leash.ts", import.meta.url).href;
const CLI = fileURLToPath(new URL("../cli/bin.ts", import.meta.url));

const ready = z.object({ type: z.literal("ready"), url: z.url() });

export interface HostProcessOptions {
  readonly environment: string;
  readonly image: string;
  readonly home: string;
  /** The host died by itself. */
  readonly onDeath: (why: string) => void;
}

export interface HostProcess {
  /** The live route: where clients connect. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The host did not come up; the message is what it said. */
export class HostFailed extends Error {
  override readonly name = "HostFailed";
}

/**
 * Starts the local host, the stand-in for a cluster, and waits until it can be connected to.
 *
 * @throws HostFailed
 */
export async function startHost({ environment, image, home, onDeath }: HostProcessOptions): Promise<HostProcess> {
  const child = fork(CLI, ["local", "-e", environment, "--home", home, "--port", "0", "--image", image, "-o", "json"], {
    // The leash ends it when the rehearsal is gone, however that went.
    execArgv: ["--import", LEASH],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own: Ctrl-C in the terminal is for the rehearsal, which ends the host when the traffic has ended.
    detached: true,
  });
  let errors = "";
  let stopping = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-4000)));
  const exited = once(child, "exit").then(([code, signal]: unknown[]) => {
    if (!stopping) onDeath(`the local host ended by itself (${String(signal ?? code)}): ${errors.trim()}`);
  });
  const url = await new Promise<string>((resolve, reject) => {
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).once("line", (line) => {
        resolve(ready.parse(JSON.parse(line)).url);
      });
    }
    child.once("exit", () => {
      stopping = true;
      reject(new HostFailed(`the local host did not start: ${errors.trim()}`));
    });
  });
  return {
    url,
    async stop() {
      stopping = true;
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(patience);
    },
  };
}

const STOP_TIMEOUT_MS = 10_000;
