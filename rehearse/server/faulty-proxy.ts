import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { withPorts } from "../../environment/ports-in-command.ts";
import { freePort } from "../../release/targets/local/host/free-port.ts";
import { changedAnswer, idsOf, METHODS } from "./changed-answer.ts";

/** How a version differs from the server that it is. */
export type Fault =
  | {
      readonly type: "wrong";
      /** Whose answers change. */
      readonly methods: readonly string[];
    }
  | {
      readonly type: "slow";
      /** Answers of this process at full speed. */
      readonly quickCalls: number;
      /** What each call after those adds to all that follow, in milliseconds, up to `mostMs`. */
      readonly slowerMs: number;
      readonly mostMs: number;
    };

export interface FaultyProxyOptions {
  /** The server's own command; `{port}` in it is its port. */
  readonly command: readonly string[];
  readonly folder: string;
  /** The variable that tells the server its MCP port, besides `PORT`. */
  readonly variable?: string;
  /** The variables with the server's other ports, by their names. */
  readonly ports: Readonly<Record<string, string>>;
  readonly fault: Fault;
}

const STARTS_WITHIN_MS = 120_000;

/**
 * A version of somebody's server that is wrong or slow: the server itself, behind a proxy that
 * changes or delays its answers. It runs as a process of a color. It listens once the server does,
 * ends with it, and passes the signal to stop on to it.
 */
export async function runFaulty({ command, folder, variable, ports, fault }: FaultyProxyOptions): Promise<void> {
  const mcp = await freePort();
  const others = Object.entries(ports).map(([name, told]): [string, number] => [name, Number(process.env[told])]);
  const [file = "", ...args] = withPorts(command, { ...Object.fromEntries(others), mcp });
  const env = { ...process.env, PORT: String(mcp), ...(variable !== undefined && { [variable]: String(mcp) }) };
  // Not detached: it ends with the group that the host has made for this process.
  const server = spawn(file, args, { cwd: folder, env, stdio: "inherit" });
  server.once("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  server.once("exit", (code) => process.exit(code ?? 1));
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1"] as const) {
    process.on(signal, () => server.kill(signal));
  }
  await listens(mcp);
  const delay = delayOf(fault);
  const proxy = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (incoming, outgoing) => {
    void pass(incoming, outgoing, mcp, fault, delay).catch(() => outgoing.destroy());
  });
  proxy.listen(Number(process.env[variable ?? "PORT"] ?? process.env.PORT), "127.0.0.1");
  await once(proxy, "listening");
}

/**
 * How long the next call waits, in milliseconds: a version slows down as it works, as with a list
 * that only grows.
 */
function delayOf(fault: Fault): () => number {
  let calls = 0;
  return () => {
    if (fault.type === "wrong") return 0;
    calls += 1;
    return Math.min(fault.mostMs, Math.max(0, calls - fault.quickCalls) * fault.slowerMs);
  };
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  fault: Fault,
  delay: () => number,
): Promise<void> {
  const body = await text(incoming);
  const ids = incoming.method === "POST" ? idsOf(body, fault.type === "wrong" ? fault.methods : METHODS) : [];
  if (ids.length > 0) await sleep(delay());
  // What is compressed could not be changed.
  const headers = without(incoming.headers, ["accept-encoding", "connection"]);
  const upstream = request({
    host: "127.0.0.1",
    port,
    method: incoming.method,
    path: incoming.url,
    headers,
    agent: false,
  });
  outgoing.once("close", () => upstream.destroy());
  upstream.end(body);
  const [answer] = (await once(upstream, "response")) as [IncomingMessage];
  answer.once("error", () => outgoing.destroy());
  const answered = without(answer.headers, ["connection", "keep-alive"]);
  const status = answer.statusCode ?? 502;
  if (fault.type !== "wrong" || ids.length === 0) {
    outgoing.writeHead(status, answered);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
    return;
  }
  const changed = changedAnswer(await text(answer), answer.headers["content-type"] ?? "", ids);
  const rest = without(answered, ["content-length", "transfer-encoding"]);
  outgoing.writeHead(status, { ...rest, "content-length": Buffer.byteLength(changed) }).end(changed);
}

const without = (headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

/** Resolves when something accepts connections there. */
async function listens(port: number): Promise<void> {
  const deadline = performance.now() + STARTS_WITHIN_MS;
  while (performance.now() < deadline) {
    const socket = connect({ port, host: "127.0.0.1" });
    const accepted = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => {
        resolve(true);
      });
      socket.once("error", () => {
        resolve(false);
      });
    });
    socket.destroy();
    if (accepted) return;
    await sleep(50);
  }
}
