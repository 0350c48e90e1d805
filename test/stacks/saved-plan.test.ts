import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const KUBECONFIG = process.env.TEST_CLUSTER_KUBECONFIG ?? "";
const PROVIDER = join(homedir(), ".terraform.d", "plugins", "registry.terraform.io", "hashicorp", "kubernetes");
const NAME = "tf-test";

const hasCluster = KUBECONFIG !== "" && existsSync(PROVIDER);
if (!hasCluster) {
  process.stderr.write(
    "Saved plans are not applied: name a cluster that may be changed in TEST_CLUSTER_KUBECONFIG, and put Terraform's " +
      `kubernetes provider into ${PROVIDER}.\n`,
  );
}
const onACluster = hasCluster ? describe : describe.skip;

onACluster("on a cluster named by TEST_CLUSTER_KUBECONFIG", () => {
  jest.setTimeout(120_000);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "saved-plan-"));
    await writeFile(
      join(folder, "environment.ts"),
      `import local from "${PROJECT}environments/local.ts";
       import { environment } from "${PROJECT}environment/environment.ts";
       export default environment({ ...local, name: "${NAME}", namespace: "${NAME}", service: { type: "ClusterIP" } });`,
    );
    await synth({});
    for (const part of ["platform", "blue", "green", "traffic"]) {
      await terraform(part, "init", "-input=false");
      await terraform(part, "apply", "-input=false", "-auto-approve");
    }
  });

  afterAll(async () => {
    await run("kubectl", ["delete", "namespace", NAME, "--ignore-not-found"]);
    await rm(folder, { recursive: true });
  });

  it("a plain deploy keeps what others wrote, and plans nothing", async () => {
    await kubectl(
      "annotate",
      "--overwrite",
      "service/mcp-app",
      "hpa/mcp-app-green",
      "mcp-bluegreen/epoch=3",
      "a.example/b=c",
    );
    await kubectl("label", "service/mcp-app", "a.example/b=c");
    await kubectl("patch", "serviceaccount/mcp-app", "-p", '{"imagePullSecrets":[{"name":"others"}]}');
    await synth({});

    for (const part of ["platform", "blue", "green", "traffic"]) {
      await terraform(part, "apply", "-input=false", "-auto-approve");
      expect((await terraform(part, "plan", "-input=false", "-detailed-exitcode")).code).toBe(0);
    }
    const service = await kubectl("get", "service/mcp-app", "-o", "jsonpath={.metadata.annotations}{.metadata.labels}");
    expect(service).toContain('"mcp-bluegreen/epoch":"3"');
    expect(service.match(/"a\.example\/b":"c"/g)).toHaveLength(2);
    expect(await kubectl("get", "serviceaccount/mcp-app", "-o", "jsonpath={.imagePullSecrets}")).toContain("others");
  });

  it.each([
    ["a later holder of the lease", ["annotate", "--overwrite", "service/mcp-app", "mcp-bluegreen/epoch=4"]],
    ["a switch", ["patch", "service/mcp-app", "-p", '{"spec":{"selector":{"mcp-bluegreen/color":"green"}}}']],
  ])("a saved plan fails after %s, and leaves the Deployment as it was", async (_, change) => {
    await kubectl("annotate", "--overwrite", "service/mcp-app", "mcp-bluegreen/epoch=3");
    await synth({ STAGE: "green=localhost/mcp-app:2.0.0", STAGE_MARK: "m-1", STAGE_EPOCH: "3" });
    await terraform("green", "plan", "-input=false", "-out=saved.tfplan");
    const before = await kubectl("get", "deployment/mcp-app-green", "-o", "jsonpath={.spec}");
    await kubectl(...change);

    const { code, output } = await terraform("green", "apply", "-input=false", "saved.tfplan");

    expect(code).toBe(1);
    expect(output).toContain("Resource precondition failed");
    expect(await kubectl("get", "deployment/mcp-app-green", "-o", "jsonpath={.spec}")).toBe(before);
  });

  const kubectl = async (...args: string[]) => {
    const { code, output } = await run("kubectl", ["-n", NAME, ...args]);
    if (code !== 0) throw new Error(output);
    return output;
  };

  const terraform = (part: string, ...args: string[]) =>
    run("terraform", [`-chdir=${join(folder, "out", "stacks", `${NAME}-${part}`)}`, ...args, "-no-color"]);

  async function synth(stage: Record<string, string>): Promise<void> {
    const { output: context } = await run("kubectl", ["config", "current-context"]);
    const { code, output } = await run(process.execPath, [join(PROJECT, "main.ts")], {
      KUBE_CONTEXT: context.trim(),
      ENVIRONMENT: join(folder, "environment.ts"),
      ...stage,
    });
    if (code !== 0) throw new Error(output);
  }

  function run(file: string, args: readonly string[], variables = {}): Promise<{ code: number; output: string }> {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, KUBECONFIG, CDKTF_OUTDIR: join(folder, "out"), TF_VAR_request_state_key: "k".repeat(32) };
    return new Promise((resolve) => {
      // The state of a local backend is kept in the folder in which a synth runs.
      const child = execFile(file, args, { cwd: folder, env: { ...env, ...variables } }, (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 1, output: stdout + stderr });
      });
    });
  }
});
