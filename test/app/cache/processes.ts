import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Order, Report } from "./pod-process.ts";
import type { PodOptions } from "./pods.ts";

/** A pod in a process of its own. */
export interface PodProcess {
  /** Makes so many calls at the same time; resolves with how they were answered. */
  fetch(key: string, times: number, origin: string): Promise<Report>;
  /** Ends it at once, without a word. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Resolves once it has Redis. */
export async function startPodProcess(options: PodOptions): Promise<PodProcess> {
  const child = fork(join(import.meta.dirname, "pod-process.ts"), [JSON.stringify(options)], { execArgv: [] });
  running.add(child);
  await once(child, "message");
  const order = (what: Order) => void child.send(what);
  return {
    async fetch(key, times, origin) {
      order({ fetch: key, times, origin });
      const [report] = (await once(child, "message")) as [Report];
      return report;
    },
    kill: () => kill(child),
  };
}

/** Ends all that are left. */
export async function killPodProcesses(): Promise<void> {
  await Promise.all([...running].map(kill));
}

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** What pods load from: an HTTP server that answers when it is told to. */
export interface Origin {
  readonly url: string;
  readonly asked: number;
  /** Answers those who ask, now and from now on. */
  answer(text: string): void;
  close(): Promise<void>;
}

export async function startOrigin(): Promise<Origin> {
  let asked = 0;
  let text: string | undefined;
  const waiting: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    asked += 1;
    if (text === undefined) waiting.push(response);
    else response.end(text);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get asked() {
      return asked;
    },
    answer(now) {
      text = now;
      for (const response of waiting.splice(0)) response.end(now);
    },
    async close() {
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
