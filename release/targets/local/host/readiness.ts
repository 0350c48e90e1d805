import { execFile } from "node:child_process";
import { connect } from "node:net";
import type { Probe } from "../../../../environment/schema/probes.ts";

/** A process that is asked whether it is ready. */
export interface Asked {
  /** The number of a port, by its name or the number that the server's description has. */
  readonly portOf: (reference: string | number) => number;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A program as a probe costs more than a request. Milliseconds. */
export const probeIntervalMs = ({ type }: Probe): number => (type === "exec" ? 1000 : 100);

/**
 * Asks as a kubelet would. A gRPC port is only connected to.
 *
 * @returns whether it is ready; undefined if it did not answer
 */
export async function isReady(probe: Probe, asked: Asked): Promise<boolean | undefined> {
  const timeoutMs = probe.timeoutSeconds * 1000;
  switch (probe.type) {
    case "http":
      return await answersOk(`http://127.0.0.1:${asked.portOf(probe.port)}${probe.path}`, probe.headers, timeoutMs);
    case "tcp":
    case "grpc":
      return (await accepts(asked.portOf(probe.port), timeoutMs)) ? true : undefined;
    case "exec":
      return await exitsWithZero(probe.command, asked, timeoutMs);
  }
}

/** In words, such as `TCP on port 21345`. */
export function inWords(probe: Probe, { portOf }: Pick<Asked, "portOf">): string {
  switch (probe.type) {
    case "http":
      return `GET ${probe.path} on port ${portOf(probe.port)}`;
    case "tcp":
    case "grpc":
      return `TCP on port ${portOf(probe.port)}`;
    case "exec":
      return `'${probe.command.join(" ")}'`;
  }
}

async function answersOk(url: string, headers: Record<string, string>, timeoutMs: number) {
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    // A kubelet takes a redirect for a success.
    return response.status >= 200 && response.status < 400;
  } catch {
    return undefined;
  }
}

function accepts(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: timeoutMs });
    const end = (accepted: boolean) => () => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", end(true)).once("timeout", end(false)).once("error", end(false));
  });
}

function exitsWithZero([file = "", ...args]: readonly string[], { folder, env }: Asked, timeout: number) {
  return new Promise<boolean | undefined>((resolve) => {
    execFile(file, args, { cwd: folder, env, timeout }, (error) => {
      resolve(error === null ? true : typeof error.code === "number" ? false : undefined);
    });
  });
}
