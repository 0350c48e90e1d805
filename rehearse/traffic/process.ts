import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TrafficReport } from "./sample.ts";

export interface Traffic {
  /** Closes the current window, so that what comes next is counted apart. */
  flush(): Promise<void>;
  /** Lets the calls under way finish and ends the process; its last window has been reported then. */
  stop(): Promise<void>;
}

export interface TrafficOptions {
  readonly url: string;
  readonly callsPerSecond: number;
  /** Path of the environment of somebody's own server, whose smoke call is made. @default - the bundled app's calls */
  readonly environment?: string;
  readonly onReport: (report: TrafficReport) => void;
  /** The traffic process died by itself. */
  readonly onDeath: (why: string) => void;
}

/** Starts the traffic in a process of its own. */
export function startTraffic({ url, callsPerSecond, environment, onReport, onDeath }: TrafficOptions): Traffic {
  const args = [url, String(callsPerSecond), ...(environment === undefined ? [] : [environment])];
  const child = fork(fileURLToPath(new URL("main.ts", import.meta.url)), args, {
    serialization: "advanced",
  });
  let stopping = false;
  let flushed: (() => void) | undefined;
  child.on("message", (report: TrafficReport) => {
    onReport(report);
    if (report.type === "sample") flushed?.();
  });
  const exited = once(child, "exit").then(([code, signal]: unknown[]) => {
    flushed?.();
    if (!stopping) onDeath(`the traffic process ended by itself (${String(signal ?? code)})`);
  });
  return {
    async flush() {
      if (!child.connected) return;
      const sampled = new Promise<void>((resolve) => (flushed = resolve));
      child.send("flush");
      await sampled;
    },
    async stop() {
      stopping = true;
      if (child.connected) child.send("stop");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(patience);
    },
  };
}

const STOP_TIMEOUT_MS = 6000;
