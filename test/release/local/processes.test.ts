import { once } from "node:events";
import { afterAll, describe, expect, it, jest } from "@jest/globals";
import { programOf } from "../../../release/targets/local/program.ts";
import { ServerProcess } from "../../../release/targets/local/host/server-process.ts";
import { Watchdog } from "../../../release/targets/local/host/watchdog.ts";
import { call } from "./calls.ts";
import { image, startHost, until } from "./a-host.ts";
import single from "./fixtures/environment.ts";

// Processes start slowly on a busy machine.
jest.setTimeout(30_000);

const { server } = single;
const watchdog = new Watchdog();
afterAll(() => watchdog.close());

const start = (name: string, settings = {}, log: (line: string) => void = () => undefined) =>
  new ServerProcess({ name, program: programOf(image(name), server), server, settings, watchdog, log });

async function change(app: ServerProcess, holds: () => boolean): Promise<void> {
  while (!holds()) await once(app, "change");
}

function alive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("an app process", () => {
  it("is ready when it says so, has its settings, and ends by being asked", async () => {
    const app = start("version-1", { APP_COLOR: "green" });
    await change(app, () => app.ready);
    const { pid } = app;
    const admin = `http://127.0.0.1:${app.ports?.admin ?? 0}`;

    expect(await (await fetch(`${admin}/health`)).json()).toMatchObject({ version: "1.0.0", color: "green" });
    await app.stop();
    expect(app.ready).toBe(false);
    expect(alive(pid)).toBe(false);
  });

  it("that listens and is not ready is not ready", async () => {
    const app = start("never-ready");
    let changes = 0;
    app.on("change", () => (changes += 1));
    await listening(app);

    expect(app).toMatchObject({ ready: false, restarts: 0 });
    expect(changes).toBe(0);
    await app.stop();
  });

  it("stays ready while it leaves two probes in a row without an answer, and no longer than three", async () => {
    const lines: string[] = [];
    const app = start("misses-probes", {}, (line) => lines.push(line));
    const readyAt: string[] = [];
    app.on("change", () => readyAt.push(`${app.ready ? "ready" : "not ready"} after ${lines.at(-1) ?? ""}`));
    await change(app, () => app.ready);
    await change(app, () => !app.ready);
    await app.stop();

    expect(readyAt.slice(0, 2)).toEqual(["ready after probe 1", "not ready after probe 11"]);
  });

  it("that was killed is started again and counted, and is not ready in between", async () => {
    const app = start("version-1");
    await change(app, () => app.ready);
    const { pid = 0 } = app;
    process.kill(pid, "SIGKILL");
    await change(app, () => !app.ready);

    expect(app.ports).toBeUndefined();
    await change(app, () => app.ready);
    expect(app.restarts).toBe(1);
    expect(app.pid).not.toBe(pid);
    await app.stop();
  });

  it("that dies at every start is started again after a delay that grows", async () => {
    const app = start("dies-at-start");
    const deaths: number[] = [];
    while (deaths.length < 3) {
      await once(app, "change");
      deaths.push(performance.now());
    }
    const [first = 0, second = 0, third = 0] = deaths;

    expect(app.restarts).toBe(3);
    expect(second - first).toBeGreaterThan(490);
    expect(third - second).toBeGreaterThan(990);
    await app.stop();
  });

  it("that is stopped while it waits to be started again stays down", async () => {
    const app = start("dies-at-start");
    await once(app, "change");
    await app.stop();
    const outcome = await Promise.race([
      once(app, "change"),
      new Promise((resolve) => setTimeout(resolve, 1000, "down")),
    ]);

    expect(outcome).toBe("down");
    expect(app.pid).toBeUndefined();
  });

  it("that is killed while it is probed comes up once, and not again after it was stopped", async () => {
    const app = start("version-1");
    await change(app, () => app.ready);
    process.kill(app.pid ?? 0, "SIGKILL");
    await change(app, () => app.restarts === 1);
    // By now a probe that was under way has come back.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await app.stop();
    await new Promise((resolve) => setTimeout(resolve, 600));

    expect(app.pid).toBeUndefined();
  });
});

describe("a color", () => {
  it("that is staged again drains its old processes, answering calls that are under way, while new ones start", async () => {
    await using aHost = await startHost();
    const { host } = aHost;
    host.stage("green", { image: image("answers-at-the-end"), settings: {} });
    await until(host, () => host.pods("green").every(({ ready }) => ready));
    const [old] = host.pods("green");
    const pid = old?.pid;
    const answer = call(host.routeTo("green"));
    await underWay(old);
    host.stage("green", { image: image("version-2"), settings: {} });

    expect(host.pods("green")).not.toContain(old);
    expect(await answer).toMatchObject({ color: "green", text: expect.stringContaining('"text":"hello"') });
    await until(host, () => host.pods("green").every(({ ready }) => ready));
    await host.close();
    expect(alive(pid)).toBe(false);
  });

  it("is never staged while it is live", async () => {
    await using aHost = await startHost();
    const { host } = aHost;

    expect(host.stage("blue", { image: image("version-2"), settings: {} })).toEqual({
      staged: false,
      live: "blue",
    });
    expect(host.look().colors.blue.image).toBe(image("version-1"));
  });

  it("ends the ready process last when it is held at fewer", async () => {
    await using aHost = await startHost();
    const { host } = aHost;
    host.hold("blue", 2);
    await until(host, () => host.pods("blue").filter(({ ready }) => ready).length === 2);
    const [first, second] = host.pods("blue");
    process.kill(first?.pid ?? 0, "SIGKILL");
    await until(host, () => first?.ready === false);
    host.hold("blue", undefined);

    expect(host.pods("blue")).toEqual([second]);
    expect((await call(host.url)).color).toBe("blue");
  });
});

/** Resolves when a call has reached an app. */
async function underWay(app: ServerProcess | undefined): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${app?.ports?.admin ?? 0}/metrics`);
    if (/_count\{.*\} 1$/m.test(await response.text())) return;
  }
}

async function listening(app: ServerProcess): Promise<void> {
  while (app.ports === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
}
