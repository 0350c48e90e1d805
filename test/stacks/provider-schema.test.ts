import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { App } from "cdktf";
import type { Environment } from "../../environment/environment.ts";
import { BlueGreenApp } from "../../stacks/blue-green-app.ts";
import gateway from "./deployments/gateway.ts";
import everyField from "./every-field.ts";

const PROVIDER = join(homedir(), ".terraform.d", "plugins", "registry.terraform.io", "hashicorp", "kubernetes");

if (!existsSync(PROVIDER)) {
  process.stderr.write(`The stacks are not validated: put Terraform's kubernetes provider into ${PROVIDER}.\n`);
}
const withProvider = existsSync(PROVIDER) ? describe : describe.skip;

const run = promisify(execFile);

withProvider("with the Kubernetes provider on this machine", () => {
  jest.setTimeout(120_000);
  let outdir: string;
  beforeAll(async () => {
    outdir = await mkdtemp(join(tmpdir(), "validate-"));
  });
  afterAll(() => rm(outdir, { recursive: true }));

  it.each([everyField, gateway])("all stacks of $name are valid Terraform", async (environment: Environment) => {
    const app = new App({ outdir: join(outdir, environment.name) });
    new BlueGreenApp(app, environment, { change: {}, cluster: { files: [] } });
    app.synth();

    const stacks = join(outdir, environment.name, "stacks");
    for (const stack of await readdir(stacks)) {
      const terraform = (...args: string[]) =>
        run("terraform", [`-chdir=${join(stacks, stack)}`, ...args, "-no-color"]);
      await terraform("init", "-input=false", "-backend=false");
      expect((await terraform("validate")).stdout).toContain("The configuration is valid");
    }
  });
});
