import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, jest } from "@jest/globals";
import { COLOR_LABEL, EPOCH_ANNOTATION } from "../../../environment/names.ts";
import { LIVE_SERVICE, PREVIEW_SERVICE, RELEASE_LEASE } from "../../default-names.ts";
import { Displaced, StateChanged, TargetRefused, TargetUnreachable, TrafficMoved } from "../../../release/errors.ts";
import { moveByOperator } from "../../kubernetes/world.ts";
import { aProject } from "./a-project.ts";

jest.setTimeout(60_000);

const terraform = promisify(execFile);
const preview = { kind: "Service", name: PREVIEW_SERVICE } as const;

/** Its condition is unknown until the apply, and false then. */
const failsInApply = (error_message: string) => ({
  lifecycle: { precondition: [{ condition: "${timestamp() == local.never}", error_message }] },
});
const NOT_OURS = failsInApply("another command has taken the release lease over since epoch 7: nothing was staged");
const LEASE = { kind: "Lease", name: RELEASE_LEASE } as const;
const leaseOf = (epoch: string) => ({
  metadata: { name: RELEASE_LEASE, annotations: { [EPOCH_ANNOTATION]: epoch } },
  spec: { holderIdentity: "somebody" },
});
const SLOW = { provisioner: [{ "local-exec": { command: "sleep 4" } }] };

describe("a stage with Terraform", () => {
  it("applies its plan to the state in the project folder, and shows the color in the preview", async () => {
    await using a = await aProject();
    moveByOperator(a.store, "blue");
    a.store.edit(preview, (draft) => {
      draft.spec.selector[COLOR_LABEL] = "blue";
    });
    await a.stage();

    expect(await readFile(a.state, "utf8")).toContain("m1/epoch 7");
    expect(a.store.get(preview)?.spec?.selector?.[COLOR_LABEL]).toBe("green");
    expect(existsSync(`${a.project}/cdktf.out`)).toBe(false);
    // 0: a plain plan of the same stack sees the same state, and no difference.
    await terraform("terraform", ["plan", "-input=false", "-detailed-exitcode"], { cwd: a.stack });
  });

  it("changes nothing when it is repeated with the same mark", async () => {
    await using a = await aProject();
    await a.stage();
    const before = await readFile(a.state, "utf8");
    await a.stage();

    expect(await readFile(a.state, "utf8")).toBe(before);
  });

  it("of the live color is rejected before anything runs", async () => {
    await using a = await aProject();
    moveByOperator(a.store, "green");

    await expect(a.stage()).rejects.toThrow(TrafficMoved);
    expect(existsSync(a.stack)).toBe(false);
  });

  it("whose fence was refused in the apply is displaced if the lease is another command's", async () => {
    await using a = await aProject({ stage: NOT_OURS });
    a.store.create("Lease", leaseOf("8"));

    const error: unknown = await a.stage().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Displaced);
    expect(String(error)).toContain("taken over by somebody, and nothing was staged");
    expect(a.store.get(preview)?.spec?.selector?.[COLOR_LABEL]).toBe("green");
  });

  it("whose fence was refused in the apply restores that of the live Service while the lease is ours", async () => {
    await using a = await aProject({ stage: NOT_OURS });
    a.store.create("Lease", leaseOf("7"));
    const live = { kind: "Service", name: LIVE_SERVICE } as const;
    a.store.edit(live, ({ metadata }) => {
      metadata.annotations = undefined;
    });

    await expect(a.stage()).rejects.toThrow(StateChanged);
    expect(a.store.get(live)?.metadata.annotations?.[EPOCH_ANNOTATION]).toBe("7");
  });

  it("whose fence was refused in the apply is not displaced while the lease is out of reach", async () => {
    await using a = await aProject({ stage: NOT_OURS });
    a.api.faults.add({ ...LEASE, does: "unreachable", times: Infinity });

    await expect(a.stage()).rejects.toThrow(TargetUnreachable);
  });

  it("that another precondition refuses says why", async () => {
    await using a = await aProject({ stage: failsInApply("the image needs a tag") });
    const error: unknown = await a.stage().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TargetRefused);
    expect(String(error)).toContain("the image needs a tag");
  });

  it("names the signal that killed a plan", async () => {
    const bin = await mkdtemp(join(tmpdir(), "bin-"));
    const program = '#!/bin/sh\n[ "$1" = plan ] && kill -9 $$\nPATH="${PATH#*:}" exec terraform "$@"\n';
    await writeFile(join(bin, "terraform"), program, { mode: 0o755 });
    await using a = await aProject({ env: { PATH: `${bin}:${process.env.PATH}` } });

    await expect(a.stage()).rejects.toThrow("'terraform plan' was killed by SIGKILL: it printed nothing");
    await rm(bin, { recursive: true });
  });

  it("names who holds a locked state, and how to unlock it", async () => {
    await using a = await aProject({ stage: SLOW });
    const first = a.stage();
    await a.told("terraform apply …");
    const error: unknown = await a.stage().catch((thrown: unknown) => thrown);
    await first;

    expect(error).toBeInstanceOf(TargetUnreachable);
    expect(String(error)).toMatch(/locked by \S+@\S+ since \d{4}-.*; .*'terraform force-unlock [0-9a-f-]{36}'/);
  });

  it("tells Terraform's own message, without frames and secrets", async () => {
    const condition = '${var.key == ""}';
    const lifecycle = { precondition: [{ condition, error_message: "x" }] };
    await using a = await aProject({ stage: { lifecycle }, env: { TF_VAR_key: "undeclared" } });
    const error: unknown = await a.stage().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TargetRefused);
    expect(String(error)).toContain("Reference to (secret) input variable");
    expect(String(error)).not.toMatch(/[│╷╵]|undeclared/);
  });
});

describe("an abort of a stage", () => {
  it("ends a synth at once", async () => {
    await using a = await aProject({ app: "setInterval(() => undefined, 1000);" });
    const abort = new AbortController();
    const stage = a.stage(abort.signal);
    await a.told("app.mjs");
    const start = performance.now();
    abort.abort(new Error("Ctrl-C"));

    await expect(stage).rejects.toThrow("Ctrl-C");
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("waits for an apply, and says so", async () => {
    await using a = await aProject({ stage: SLOW });
    const abort = new AbortController();
    const stage = a.stage(abort.signal);
    const ended = expect(stage).rejects.toThrow("Ctrl-C");
    await a.told("terraform apply …");
    abort.abort(new Error("Ctrl-C"));
    await ended;

    expect(a.said).toContain("terraform apply is running: waiting until it has ended …");
    expect(await readFile(a.state, "utf8")).toContain("m1/epoch 7");
  });
});
