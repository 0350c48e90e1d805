import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it, jest } from "@jest/globals";
import {
  COLOR_LABEL,
  colorName,
  LIVE_SERVICE,
  PREVIEW_SERVICE,
  SETTINGS_ANNOTATION,
  WANTED_SETTINGS,
} from "../../../environment/names.ts";
import { Displaced, TargetRefused, TargetUnreachable, TrafficMoved } from "../../../release/errors.ts";
import { moveByOperator } from "../../kubernetes/world.ts";
import { aProject } from "./a-project.ts";

jest.setTimeout(60_000);

const terraform = promisify(execFile);
const preview = { kind: "Service", name: PREVIEW_SERVICE } as const;

/** Unknown until the apply, and false then. */
const FAILS_IN_APPLY = {
  lifecycle: { precondition: [{ condition: "${timestamp() == local.never}", error_message: "not ours any more" }] },
};
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

  it("whose precondition fails in the apply is displaced while its color is idle", async () => {
    await using a = await aProject({ stage: FAILS_IN_APPLY });

    await expect(a.stage()).rejects.toThrow(Displaced);
    expect(a.store.get(preview)?.spec?.selector?.[COLOR_LABEL]).toBe("green");
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

describe("the pending changes of the live color", () => {
  it("are the wanted settings that its Deployment was not staged with", async () => {
    await using a = await aProject();
    a.store.create("ConfigMap", { metadata: { name: WANTED_SETTINGS }, data: { A: "1", B: "2" } });
    a.store.edit({ kind: "Deployment", name: colorName("blue") }, (draft) => {
      draft.spec.template.metadata.annotations = { [SETTINGS_ANNOTATION]: '{"A":"1","B":"1"}' };
    });

    expect(await a.staging.pending("blue")).toEqual([{ setting: "B", running: "1", wanted: "2" }]);
    expect(a.store.get({ kind: "Service", name: LIVE_SERVICE })).toBeDefined();
  });
});
