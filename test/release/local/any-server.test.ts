import { once } from "node:events";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { environment, type Environment, type EnvironmentInput } from "../../../environment/environment.ts";
import { Host } from "../../../release/targets/local/host/host.ts";
import { ServerProcess } from "../../../release/targets/local/host/server-process.ts";
import { Watchdog } from "../../../release/targets/local/host/watchdog.ts";
import { programOf } from "../../../release/targets/local/program.ts";
import { image, until } from "./a-host.ts";
import { call } from "./calls.ts";
import single from "./fixtures/environment.ts";

jest.setTimeout(60_000);

const PLAIN = image("plain-server");

type ServerInput = NonNullable<EnvironmentInput["server"]>;

/** An environment that describes another server than the bundled one. */
const described = (server: Partial<ServerInput> = {}, settings: Record<string, string> = {}): Environment =>
  environment({
    ...single,
    app: { image: "plain", imagePolicy: "any", settings },
    scaling: { replicas: 1 },
    server: { sessions: "none", command: [process.execPath, PLAIN], ...server },
  });

describe("a server that was not made for this project", () => {
  let folder: string;
  const running: (() => Promise<unknown>)[] = [];
  const watchdog = new Watchdog();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "any-server-"));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    await watchdog.close();
    await rm(folder, { recursive: true });
  });

  const start = ({ server }: Environment, settings: Record<string, string> = {}) => {
    const lines: string[] = [];
    const notes: string[] = [];
    const started = new ServerProcess({
      name: "blue-1",
      program: programOf(folder, server),
      server,
      settings,
      watchdog,
      log: (line) => lines.push(line),
      note: ({ sentence }) => notes.push(sentence),
    });
    running.push(() => started.stop());
    return { process: started, lines, notes };
  };

  const host = async (of: Environment) => {
    const started = await Host.start({ environment: of, image: folder, port: 0, log: () => undefined });
    running.push(() => started.close());
    await until(started, () => started.pods("blue").some(({ ready }) => ready));
    return started;
  };

  it("gets its port in PORT, and is ready once it accepts a connection", async () => {
    const { process } = start(described());
    await change(process, () => process.ready);

    expect((await call(`http://127.0.0.1:${process.ports?.mcp ?? 0}/mcp`)).text).toContain("pong");
  });

  it.each([
    ["in the variable that its description names", { variables: { port: "SERVER_PORT" } }, "process.env.SERVER_PORT"],
    ["in its command", {}, "'{port}'"],
  ])("gets its port %s", async (_, server, port) => {
    const code = `require("http").createServer((q, s) => s.end("mine")).listen(${port}, "127.0.0.1")`;
    const { process: started } = start(described({ command: [process.execPath, "-e", code], ...server }));
    await change(started, () => started.ready);

    expect(await (await fetch(`http://127.0.0.1:${started.ports?.mcp ?? 0}/`)).text()).toBe("mine");
  });

  it("gets a port of its own for each that its pages need, and is refused if it cannot be told", async () => {
    const listen = (port: string, text: string) =>
      `require("http").createServer((q, s) => s.end("${text}")).listen(${port}, "127.0.0.1");`;
    const code = listen("process.env.PORT", "mcp") + listen("'{port:admin}'", "admin");
    const server = { ports: { admin: 9000 }, health: { port: "admin", path: "/" } };
    const { process: started } = start(described({ ...server, command: [process.execPath, "-e", code] }));
    await change(started, () => started.ready);

    expect(await (await fetch(`http://127.0.0.1:${started.ports?.admin ?? 0}/`)).text()).toBe("admin");
    await expect(host(described(server))).rejects.toThrow(
      "server.health needs port 'admin', and each process on this machine needs one of its own: " +
        "name its variable in server.variables.ports, or write {port:admin} in server.command",
    );
  });

  it("that cannot be started says why", async () => {
    const { process: started, notes } = start(described({ command: ["no-such-program"] }));
    await change(started, () => started.restarts > 0);

    expect(notes).toEqual([
      `blue-1 cannot be started: there is no program 'no-such-program' on the PATH, or no folder '${folder}'`,
    ]);
  });

  it("that ignores its port is ended after its time to start, with the probe that failed", async () => {
    const { process: started } = start(described({ probes: { startupSeconds: 2 } }), { DOES: "ignores its port" });
    await change(started, () => started.restarts > 0);

    expect(started.trouble).toMatch(/^was not ready within 2 s \(TCP on port \d+\)$/);
    expect(started.lastLines).toEqual(["listening"]);
  });

  it("that ignores its signal is killed after its grace", async () => {
    const of = described({ stop: { pause: "none", graceSeconds: 1 } });
    const { process: started, notes } = start(of, { DOES: "ignores SIGTERM" });
    await change(started, () => started.ready);
    const { pid } = started;
    await started.stop();

    expect(alive(pid)).toBe(false);
    expect(notes).toEqual(["blue-1 did not end within 1 s after SIGTERM and was killed"]);
  });

  it("takes all that it started with it when it ends", async () => {
    const of = described({ command: ["sh", "-c", `${process.execPath} ${PLAIN} & echo child $!; wait`] });
    const { process: started, lines } = start(of);
    await change(started, () => started.ready);
    const child = Number(lines.find((line) => line.startsWith("child "))?.slice(6));
    expect(alive(child)).toBe(true);
    await started.stop();

    await gone(child);
  });

  it("that writes 100 MB of log answers, and its lines are bounded", async () => {
    const { process: started, lines } = start(described(), { DOES: "writes a lot" });
    await change(started, () => started.ready);
    while (!lines.includes("listening")) await new Promise((resolve) => setTimeout(resolve, 50));

    expect((await call(`http://127.0.0.1:${started.ports?.mcp ?? 0}/mcp`)).text).toContain("pong");
    expect(lines).toHaveLength(20_001);
    expect(started.lastLines.at(-1)).toBe("listening");
  });

  it("keeps its connections, and its clients follow a switch with their next request", async () => {
    const started = await host(described());
    started.stage("green", { image: folder, settings: {} });
    await until(started, () => started.pods("green").some(({ ready }) => ready));
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await call(started.url, kept);
    started.moveTraffic("blue", "green");
    const after = await call(started.url, kept);
    kept.destroy();

    expect([before.color, after.color]).toEqual(["blue", "green"]);
  });

  it("ends only when its calls under way have their answers, although it ends at once at its signal", async () => {
    const settings = { TAKES_MS: "1000" };
    const started = await host(described({}, settings));
    started.stage("green", { image: folder, settings });
    await until(started, () => started.pods("green").some(({ ready }) => ready));
    const answer = call(started.routeTo("green"));
    while (started.pods("green")[0]?.underWay.count !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
    started.stage("green", { image: folder, settings });

    expect((await answer).text).toContain("pong");
    expect(started.look().notes.last).toEqual([]);
  });

  it("leaves nothing behind when its host is killed, not even what it started itself", async () => {
    const marker = `marker-${process.pid}-${Date.now()}`;
    const home = join(folder, "home");
    const file = join(import.meta.dirname, "fixtures/killed-host.ts");
    const command = ["sh", "-c", `${process.execPath} ${PLAIN} ${marker} & wait`];
    const { exitCode } = await started(file, [home, folder, JSON.stringify(command)]);

    expect(exitCode).toBe("SIGKILL");
    while ((await processesNaming(marker)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  });
});

/** Runs a host that kills itself once its server is ready. */
async function started(file: string, args: readonly string[]): Promise<{ exitCode: unknown }> {
  const { error } = await promisify(execFile)(process.execPath, [file, ...args]).then(
    () => ({ error: undefined }),
    (error: unknown) => ({ error }),
  );
  const { signal } = error as { signal?: string };
  return { exitCode: signal ?? "ended" };
}

async function processesNaming(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
  return stdout.split("\n").filter((line) => line.includes(text));
}

async function change(server: ServerProcess, holds: () => boolean): Promise<void> {
  while (!holds()) await once(server, "change");
}

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (alive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}
