import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { jest } from "@jest/globals";
import { APP, COLOR_LABEL, CONTAINER, EPOCH_ANNOTATION, MARK_ANNOTATION, namesOf } from "../../../environment/names.ts";
import { TerraformStaging } from "../../../release/targets/kubernetes/staging/terraform-staging.ts";
import { FakeCluster } from "../../kubernetes/cluster.ts";
import { KubeServer } from "../../kubernetes/server.ts";
import { storeWorld } from "../../kubernetes/world.ts";
import { stagingContract, type StagingWorld } from "../contract/staging.ts";

// Every stage starts a synth and a few commands.
jest.setTimeout(60_000);

const NAMES = namesOf(APP);

/** Writes what the stand-in for Terraform reads. */
const SYNTH = `
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const { CDKTF_OUTDIR, STAGE, STAGE_MARK, STAGE_EPOCH, STACK } = process.env;
const [color, image] = STAGE.split("=");
const stack = JSON.parse(STACK);
const folder = join(CDKTF_OUTDIR, "stacks", "test-" + color);
mkdirSync(folder, { recursive: true });
const stage = { color, image, mark: STAGE_MARK, epoch: STAGE_EPOCH };
writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify({ ...stack, deployment: stack.deployments[color], stage }));
`;

/** A cluster on which a color is staged with the commands of a real stage, and a stand-in for Terraform itself. */
async function terraformWorld(): Promise<StagingWorld> {
  const cluster = FakeCluster.deployed();
  const { store } = cluster;
  const server = await KubeServer.start(store);
  const project = await mkdtemp(join(tmpdir(), "staging-"));
  await writeFile(join(project, "cdktf.json"), JSON.stringify({ app: `"${process.execPath}" app.mjs` }));
  await writeFile(join(project, "app.mjs"), SYNTH);
  const stack = {
    server: server.url,
    namespace: store.namespace,
    service: NAMES.live,
    deployments: { blue: NAMES.color("blue"), green: NAMES.color("green") },
    container: CONTAINER,
    labels: { color: COLOR_LABEL, mark: MARK_ANNOTATION, epoch: EPOCH_ANNOTATION },
  };
  const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));
  const env = {
    ...process.env,
    PATH: [fixtures, process.env.PATH].join(delimiter),
    STACK: JSON.stringify(stack),
  };
  const world = storeWorld(cluster, (api, fences, clock) => {
    const environment = { name: "test", namespace: store.namespace };
    return new TerraformStaging({
      api,
      fences,
      clock,
      environment,
      environmentInput: "test",
      project: () => project,
      env,
    });
  });
  return {
    ...world,
    async close() {
      await world.close();
      await server.close();
      await rm(project, { recursive: true });
    },
  };
}

stagingContract("a Kubernetes cluster, with Terraform", terraformWorld);
