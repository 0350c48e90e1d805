import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COLORS } from "../../../environment/color.ts";
import local from "../on-node-port.ts";
import { kubectl, podIdentities, serviceAnswers } from "../cluster.ts";
import { mustRun, PROJECT } from "../command.ts";
import { buildImage } from "../images.ts";
import { inWords, underLoad } from "../load.ts";
import type { Step } from "../step.ts";
import { plan } from "../terraform.ts";
import { deployedStacks, releaseIn } from "./stacks.ts";

const APP = "words";
const NODE_PORT = 30_081;

/** Another app of environment `local`, in its namespace, where clients on this machine reach it. */
const environmentFile = `import { environment } from "mcp-bluegreen";
import local from "./local.ts";

const maxP95Ms = 2000;

export default environment({
  ...local,
  name: "${local.name}",
  namespace: "${local.namespace}",
  createNamespace: false,
  context: ${JSON.stringify(local.context)},
  app: {
    ...local.app,
    settings: { ...local.app.settings, CONNECTION_MAX_AGE: "5s", CB_TIMEOUT: "3s" },
    allowedHosts: ["127.0.0.1"],
    resources: { requests: { cpu: "50m" } },
  },
  service: { type: "NodePort", nodePort: ${NODE_PORT} },
  release: {
    ...local.release,
    target: "kubernetes",
    metrics: { ...local.release.metrics, maxP95Ms },
    bake: { ...local.release.bake, durationSeconds: 10, maxP95Ms },
  },
});
`;

/** The package as it would be published, a repository that its `init` writes, and an app with a tool of its own. */
export const ownRepository: Step = {
  name: "a repository that init wrote is deployed beside the app, in its namespace, and released with no failed call",
  needs: ["E2E_NEIGHBORS"],
  async run() {
    const parent = await mkdtemp(join(tmpdir(), "e2e-"));
    const folder = join(parent, APP);
    try {
      await mustRun("npm", ["pack", "--pack-destination", parent]);
      const [packed = ""] = (await readdir(parent)).filter((name) => name.endsWith(".tgz"));
      await mustRun(process.execPath, [join(PROJECT, "cli", "bin.ts"), "init", folder]);
      await mustRun("npm", ["install", join(parent, packed)], {}, folder);
      await writeFile(join(folder, "environments", "e2e.ts"), environmentFile);
      await mustRun("npm", ["test"], {}, folder);
      for (const version of ["1.0.0", "1.1.0"]) await build(folder, version);

      const neighbor = await podIdentities();
      const key = randomBytes(32).toString("base64url");
      const stacks = {
        folder,
        environment: "e2e",
        prefix: `${local.name}-${APP}`,
        variables: { TF_VAR_request_state_key: key },
      };
      await using made = new AsyncDisposableStack();
      made.use(await deployedStacks(stacks));
      const url = `http://127.0.0.1:${NODE_PORT}/mcp`;
      for (const color of COLORS) await kubectl("rollout", "status", `deployment/${APP}-${color}`, "--timeout=120s");
      await serviceAnswers(url);
      const load = await underLoad(
        () => releaseIn(stacks, "run", "--image", imageOf("1.1.0"), "--version", "1.1.0"),
        () => false,
        { url },
      );
      assert.ok(load.byColor.blue > 0 && load.byColor.green > 0, "both colors must have answered");
      assert.deepEqual(await podIdentities(), neighbor);
      assert.deepEqual(Object.values(await plan()).flat(), []);
      return `${inWords(load)}; the app beside it has the same pods as before`;
    } finally {
      await rm(parent, { recursive: true });
    }
  },
};

const imageOf = (version: string) => `localhost/${APP}:${version}`;

async function build(folder: string, version: string): Promise<void> {
  await mustRun("npm", ["run", "build", "--", "--version", version], {}, folder);
  await buildImage(imageOf(version), { folder, buildArgs: runtimeImage() });
}

/** The Dockerfile that init writes has one base image alone. */
function runtimeImage(): string[] {
  const [runtime] = /RUNTIME_IMAGE=\S+/.exec(process.env.E2E_BUILD_ARGS ?? "") ?? [];
  return runtime === undefined ? [] : ["--build-arg", runtime];
}
