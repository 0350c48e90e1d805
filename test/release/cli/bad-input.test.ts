import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ENVIRONMENT_FILE, image, startHost, type AHost } from "../local/a-host.ts";
import { Caller } from "../local/calls.ts";
import { run, says, start, startAsIs, startCommand } from "./a-command.ts";
import { openDoor } from "./door.ts";
import { EXIT_HELP } from "../../../release/exit-codes.ts";

const NEW = ["--image", image("version-2"), "--version", "2.0.0"];

let host: AHost;
let caller: Caller;

beforeAll(async () => {
  host = await startHost();
  caller = new Caller(host.host.url);
}, 20_000);

afterAll(async () => {
  await caller[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
}, 20_000);

describe("the release command says in one line what is wrong, exits with 2 and changes nothing, given", () => {
  const usage = (reason: unknown) => ({ type: "result", result: "usage", reason });

  it("an environment that does not exist", async () => {
    const { code, last, stderr } = await startAsIs(host.home, ["status", "--environment", "nowhere", "--json"])
      .finished;

    expect(code).toBe(2);
    expect(stderr).toBe(
      "there is no environment 'nowhere'; there are: local, production, staging; or name a file by its path\n",
    );
    expect(last).toMatchObject(usage(stderr.trim()));
  });

  it("the path of an environment file that does not exist, or that breaks", async () => {
    const missing = await startAsIs(host.home, ["status", "--environment", "./nowhere.ts", "--json"]).finished;

    expect(missing.code).toBe(2);
    expect(missing.last.reason).toContain("'./nowhere.ts' could not be loaded");
  });

  it("an environment file with a misspelt key, which it names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bluegreen-environment-"));
    const file = join(folder, "mine.ts");
    const library = new URL("../../../environment/environment.ts", import.meta.url).href;
    const { default: given } = (await import("../local/fixtures/environment.ts")) as { default: { scaling: object } };
    const input = { ...given, scaling: { ...given.scaling, minReplica: 3 }, release: undefined };
    await writeFile(
      file,
      `import { environment } from "${library}";\nexport default environment(${JSON.stringify(input)});`,
    );
    const { code, last } = await startAsIs(host.home, ["status", "--environment", file, "--json"]).finished;
    await rm(folder, { recursive: true });

    expect(code).toBe(2);
    expect(last).toMatchObject(usage(expect.stringContaining("environment 'test' is not valid:")));
    expect(last.reason).toContain("scaling: there is no 'minReplica' here; did you mean 'minReplicas'?");
  });

  it("a misspelt option, a misspelt command, no command, a missing option or an unknown target", async () => {
    const cases: [string[], string][] = [
      [["run", "--imgae", "x"], "unknown option '--imgae' (did you mean --image?)"],
      [["promot"], "unknown command 'promot' (did you mean promote?); see 'mcp-bluegreen release --help'"],
      [["status", "staging"], "too many arguments"],
      [["stage"], "required option '--image <image>' not specified; see 'mcp-bluegreen release stage --help'"],
      [["status", "--target", "mars"], "argument 'mars' is invalid"],
    ];
    for (const [args, reason] of cases) {
      const { code, last, stderr } = await startAsIs(host.home, [...args, "-o", "json"]).finished;

      expect(code).toBe(2);
      expect(last).toMatchObject(usage(expect.stringContaining(reason)));
      expect(stderr).toContain(reason);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
    expect((await startAsIs(host.home, []).finished).code).toBe(2);
  }, 30_000);

  it("an image without a version, or a version without an image", async () => {
    for (const half of [NEW.slice(0, 2), NEW.slice(2)]) {
      const { code, last } = await run(host.home, "run", ...half);

      expect(code).toBe(2);
      expect(last).toMatchObject(usage("name both --image and --version, or neither"));
    }
    expect(host.host.look().release).toBeUndefined();
  });

  it("a build that does not exist, without losing what a rollback goes by", async () => {
    const { code, last } = await run(host.home, "stage", "--image", "/nowhere/main.js", "--version", "2");

    expect(code).toBe(2);
    expect(last).toMatchObject(
      usage(
        "there is no build at '/nowhere/main.js'; run 'mcp-bluegreen build' first, or name another bundle with --image",
      ),
    );
    expect(host.host.look().release).toBeUndefined();
  });

  it("an image without a digest where images are pinned", async () => {
    const args = ["run", "--environment", "production", "--image", "registry/app:2", "--version", "2", "--json"];
    const { code, last } = await startAsIs(host.home, args).finished;

    expect(code).toBe(2);
    expect(last.reason).toContain("'registry/app:2' is not pinned: add its digest");
  });

  it("a promote, a bake, a retire or a rollback with nothing staged", async () => {
    for (const [command, reason] of [
      ["promote", "nothing is staged: begin with 'release stage' and name --image and --version"],
      ["bake", "no release is in progress: begin with 'release stage' or 'release run' and name --image and --version"],
      [
        "retire",
        "no release is in progress: begin with 'release stage' or 'release run' and name --image and --version",
      ],
      ["rollback", "there was no release here, so there is nothing to roll back"],
    ] as const) {
      const { code, last } = await run(host.home, command);

      expect(code).toBe(2);
      expect(last).toMatchObject(usage(reason));
    }
  }, 30_000);
});

describe("the release command", () => {
  it("documents its exit codes in the help of every command", async () => {
    const commands = ["status", "history", "watch", "stage", "verify", "promote", "bake", "retire", "rollback", "run"];
    const helps = await Promise.all(commands.map((command) => startAsIs(host.home, [command, "--help"]).finished));
    for (const { code, stdout } of [...helps, await startAsIs(host.home, ["--help"]).finished]) {
      expect(code).toBe(0);
      expect(stdout).toContain(EXIT_HELP);
    }
  }, 30_000);

  it("exits with 7, and says that nothing was changed, when no host runs here or the one that did is gone", async () => {
    const home = await mkdtemp(join(tmpdir(), "bluegreen-empty-"));
    const none = await run(home, "status");
    await writeFile(
      join(home, "host.json"),
      JSON.stringify({ control: "http://127.0.0.1:1/", token: "t", url: "http://127.0.0.1:1/mcp", pid: 1 }),
    );
    const gone = await run(home, "run", ...NEW);
    await rm(home, { recursive: true });

    expect(none.code).toBe(7);
    expect(none.last.reason).toContain("no local host is running");
    expect(gone.code).toBe(7);
    expect(gone.last.reason).toContain("does not answer");
    expect(gone.last.reason).toContain("is 'mcp-bluegreen local' running?");
  });

  it("aborts with 1 a version whose gate fails, at promote as well, and leaves live traffic untouched", async () => {
    const staged = await run(host.home, "stage", "--image", image("wrong"), "--version", "2.0.0");
    const promoted = await run(host.home, "promote");

    expect(staged.code).toBe(0);
    expect(promoted.code).toBe(1);
    expect(promoted.last).toMatchObject({ type: "result", result: "aborted" });
    expect(promoted.last.reason).toContain('smoke: legacy: echo({"text":"hello"}) answered {"text":"something else"}');
    expect(host.host.look()).toMatchObject({ live: "blue", release: { phase: "ended", outcome: "aborted" } });
    expect(caller.failures).toEqual([]);
  }, 20_000);

  it("aborts with 1 a version that dies when it is called", async () => {
    const { code, last } = await run(host.home, "run", "--image", image("crashes"), "--version", "2.0.0");

    expect(code).toBe(1);
    expect(last).toMatchObject({ type: "result", result: "aborted" });
    expect(caller.failures).toEqual([]);
  }, 20_000);

  it("exits with 70, and not with Node's 1 for 'aborted', on an error that nothing awaited", async () => {
    const preload = `data:text/javascript,process.on("newListener", (event) => {
      if (event === "uncaughtException") setImmediate(() => Promise.reject(new TypeError("oops")));
    })`;
    const args = ["release", "watch", "-e", ENVIRONMENT_FILE, "-o", "json"];
    const { code, last } = await startCommand(host.home, args, {}, ["--import", preload]).finished;

    expect(code).toBe(70);
    expect(last).toMatchObject({ result: "crash", reason: expect.stringContaining("oops") });
  }, 20_000);

  it("exits with 6 when another release is running, and says whose it is", async () => {
    await using door = await openDoor(host);
    const kept = door.keep((request) => request.do === "stage");
    const first = start(door.home, ["stage", ...NEW]);
    const request = await kept;
    const second = await run(host.home, "run", ...NEW);
    request.letThrough();

    expect(second.code).toBe(6);
    expect(second.last).toMatchObject({ type: "result", result: "lease-held" });
    expect(second.last.reason).toMatch(
      new RegExp(
        `^another release is running, started by .+ \\(process ${first.child.pid ?? 0}\\); wait until it ends`,
      ),
    );
    expect((await first.finished).code).toBe(0);
  }, 20_000);

  it("goes back at once with --take-over, and the release that had the lease changes nothing more", async () => {
    await using door = await openDoor(host);
    const kept = door.keep((request) => request.do === "move-traffic");
    const first = start(door.home, ["run", ...NEW]);
    const request = await kept;
    const rollback = await run(host.home, "rollback", "--take-over");
    request.letThrough();
    const { code, last } = await first.finished;

    expect(rollback.code).toBe(0);
    expect(code).toBe(6);
    expect(last).toMatchObject({ result: "lease-held", reason: expect.stringContaining("has taken over") });
    expect(host.host.look()).toMatchObject({ live: "blue", release: { phase: "ended", outcome: "aborted" } });
    expect(caller.failures).toEqual([]);
  }, 20_000);

  it("takes an image by a relative path, and exits with 0 when it is live", async () => {
    const relative = image("version-2").slice(process.cwd().length + 1);
    const { code, last, events } = await run(host.home, "run", "--image", relative, "--version", "2.0.0");

    expect(last).toMatchObject({ type: "result", result: "released", reason: "2.0.0 is live on green" });
    expect(code).toBe(0);
    expect(events.every(({ at }) => new Date(String(at)).getTime() > 0)).toBe(true);
    expect(caller.failures).toEqual([]);
  }, 20_000);

  it("exits with 3 when a version failed under live traffic and was rolled back", async () => {
    const { code, last } = await run(host.home, "run", "--image", image("fails-later"), "--version", "2.0.0");

    expect(code).toBe(3);
    expect(last).toMatchObject({ type: "result", result: "rolled-back" });
    expect(last.reason).toContain("green is live again: calls: ");
    expect(host.host.look().live).toBe("green");
    expect(caller.failures).toEqual([]);
  }, 20_000);

  it("exits with 4 on Ctrl-C while a call hangs or a color never gets ready", async () => {
    for (const [name, where] of [
      ["hangs", '"gate":"health"'],
      ["never-ready", "0 of 1 pods ready"],
    ] as const) {
      const { child, finished } = start(host.home, ["run", "--image", image(name), "--version", "2.0.0"]);
      await says(child.stdout, where);
      child.kill("SIGINT");

      expect((await finished).code).toBe(4);
      expect((await run(host.home, "rollback")).code).toBe(0);
    }
    expect(caller.failures).toEqual([]);
  }, 30_000);

  it("pauses with 4, and gives its lease back, when its output is closed", async () => {
    const { child, finished } = start(host.home, ["run", "--image", image("hangs"), "--version", "2.0.0"]);
    await says(child.stdout, '"phase":"stage"');
    child.stdout?.destroy();

    expect(await finished).toMatchObject({ code: 4, stderr: "" });
    expect((await run(host.home, "rollback")).code).toBe(0);
  }, 30_000);
});
