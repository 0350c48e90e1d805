import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "@redis/client";

/** Whether there is a Redis to run; as from: apt-get install redis-server. */
export const redisIsInstalled = spawnSync("redis-server", ["--version"]).status === 0;

/** What managed services refuse, see docs/shared-state.md. */
export const REFUSED =
  "-psubscribe -keys -config -client|id -client|info -client|list -client|kill -client|tracking -function -fcall -object -memory -monitor -wait -debug -save -bgsave -shutdown -replicaof -acl -module -migrate";

/** A Redis of the test's own, on a free port of 127.0.0.1, without persistence unless the test asks for it. */
export interface RedisServer {
  readonly url: string;
  /** For a user who may touch only what begins with `mcp`, with only the commands that managed services allow. */
  readonly restrictedUrl: string;
  readonly port: number;
  /** Sends a command as the administrator. */
  admin(...args: string[]): Promise<unknown>;
  /** It stays connected and answers nothing, as when its machine hangs. */
  pause(): void;
  resume(): void;
  /** Ends it at once, without a word. */
  kill(): Promise<void>;
  /** Starts it again on the same port and directory; resolves when it answers. */
  start(): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", killRedis);

/** Ends what a test that failed has left behind. */
export function killRedis(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** @param args more options of redis-server, such as `--maxmemory 2mb` */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  for (;;) {
    try {
      return await startOn(await freePort(), args);
    } catch (error) {
      // Somebody was faster; or has the port of the cluster's bus, which nobody has looked at.
      if (!String(error).includes("Address already in use")) throw error;
    }
  }
}

async function startOn(port: number, args: readonly string[]): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "redis-"));
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", ...args];
    const user = ["--user", "app", "on", ">secret", "~mcp:*", "~{mcp*", "&mcp:*", "+@all", ...REFUSED.split(" ")];
    const started = spawn("redis-server", [...options, ...user], { stdio: ["ignore", "pipe", "ignore"] });
    child = started;
    running.add(started);
    started.once("close", () => running.delete(started));
    const said: string[] = [];
    for await (const line of createInterface({ input: started.stdout })) {
      said.push(line);
      if (line.includes("Ready to accept connections")) return void started.stdout.resume();
    }
    throw new Error(`redis-server did not start:\n${said.join("\n")}`);
  }

  async function kill(): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending?.exitCode !== null || ending.signalCode !== null) return;
    ending.kill("SIGKILL");
    await once(ending, "close");
  }

  const url = `redis://127.0.0.1:${port}`;
  async function admin(...command: string[]): Promise<unknown> {
    const client = await createClient({ url })
      .on("error", () => undefined)
      .connect();
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }

  await start();
  return {
    url,
    restrictedUrl: `redis://app:secret@127.0.0.1:${port}`,
    port,
    admin,
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
    kill,
    start,
    flush: async () => {
      await admin("FLUSHALL");
    },
    close: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A cluster of three primaries; `url` names the first, which has slots 0 to 5461. With a replica, that one has it and fails over to it in a second. */
export async function startRedisCluster({ withReplica = false } = {}): Promise<{
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  close(): Promise<void>;
}> {
  const timeout = ["--cluster-node-timeout", withReplica ? "500" : "2000"];
  const start = () => startRedis(["--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0", ...timeout]);
  const nodes = await Promise.all([start(), start(), start()]);
  const [first] = nodes;
  const share = Math.ceil(16_384 / nodes.length);
  for (const [index, node] of nodes.entries()) {
    const last = Math.min((index + 1) * share, 16_384) - 1;
    await node.admin("CLUSTER", "ADDSLOTSRANGE", String(index * share), String(last));
    await node.admin("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    if (node !== first) await node.admin("CLUSTER", "MEET", "127.0.0.1", String(first.port));
  }
  for (const node of nodes) {
    while (!String(await node.admin("CLUSTER", "INFO")).includes("cluster_state:ok"))
      await new Promise((resolve) => setTimeout(resolve, 50));
    while (!String(await node.admin("CLUSTER", "INFO")).includes(`cluster_known_nodes:${nodes.length}`))
      await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (withReplica) {
    const replica = await start();
    await addReplica(nodes, first, replica);
    nodes.push(replica);
  }
  return {
    url: first.url,
    nodes,
    close: async () => {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

/** Gives a primary a replica; resolves once that would take over, since the others know it and would vote for it. */
async function addReplica(
  primaries: readonly RedisServer[],
  primary: RedisServer,
  replica: RedisServer,
): Promise<void> {
  const id = String(await primary.admin("CLUSTER", "MYID"));
  const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
  await replica.admin("CLUSTER", "MEET", "127.0.0.1", String(primary.port));
  while (!String(await replica.admin("CLUSTER", "INFO")).includes("cluster_known_nodes:4")) await wait();
  await replica.admin("CLUSTER", "REPLICATE", id);
  while (!String(await replica.admin("INFO", "replication")).includes("master_link_status:up")) await wait();
  for (const node of primaries)
    while (!String(await node.admin("CLUSTER", "NODES")).includes(`slave ${id}`)) await wait();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
