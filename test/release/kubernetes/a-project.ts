import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APP as DEFAULT_APP, EPOCH_ANNOTATION, namesOf } from "../../../environment/names.ts";
import { TerraformStaging } from "../../../release/targets/kubernetes/staging/terraform-staging.ts";
import { fenced, Fences } from "../../../release/targets/kubernetes/fences.ts";
import { FakeCluster } from "../../kubernetes/cluster.ts";
import { StoreApi } from "../../kubernetes/store-api.ts";
import { ManualClock } from "../manual-clock.ts";

/** Writes a stack as cdktf does, with Terraform's built-in provider alone. */
const APP = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
const { BLUEGREEN_APP, CDKTF_OUTDIR, ENVIRONMENT, STAGE, STAGE_MARK, STAGE_EPOCH } = process.env;
if (BLUEGREEN_APP !== "test") throw new Error("BLUEGREEN_APP names '" + BLUEGREEN_APP + "', and this App has 'test'");
const stack = ENVIRONMENT + "-" + STAGE.split("=")[0];
const folder = join(CDKTF_OUTDIR, "stacks", stack);
const path = join(process.cwd(), "terraform." + stack + ".tfstate");
const stage = JSON.parse(readFileSync("stage.json", "utf8"));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify({
  terraform: { backend: { local: { path } } },
  locals: { never: "" },
  resource: { terraform_data: { stage: { input: STAGE_MARK + "/epoch " + STAGE_EPOCH, ...stage } } },
}));
`;

export interface ProjectOptions {
  /** More arguments of the stage's `terraform_data`. */
  readonly stage?: object;
  readonly app?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A project folder, a cluster without HTTP, and real Terraform. */
export async function aProject({ stage = {}, app = APP, env = {} }: ProjectOptions = {}) {
  const project = await mkdtemp(join(tmpdir(), "staging-"));
  await writeFile(join(project, "cdktf.json"), JSON.stringify({ app: `"${process.execPath}" app.mjs` }));
  await writeFile(join(project, "app.mjs"), app);
  const setStage = (more: object) => writeFile(join(project, "stage.json"), JSON.stringify(more));
  await setStage(stage);
  const { store } = FakeCluster.deployed();
  for (const object of fenced(namesOf(DEFAULT_APP))) {
    store.edit(object, (draft) => {
      draft.metadata.annotations = { ...draft.metadata.annotations, [EPOCH_ANNOTATION]: "7" };
    });
  }
  const api = new StoreApi(store);
  const clock = new ManualClock();
  const said: string[] = [];
  const listeners = new Set<() => void>();
  const staging = new TerraformStaging({
    api,
    fences: new Fences(api),
    clock,
    environment: { name: "test", namespace: "mcp" },
    environmentInput: "test",
    project: () => project,
    env: { ...process.env, ...env },
    progress(message) {
      said.push(message);
      for (const listener of listeners) listener();
    },
  });
  return {
    project,
    store,
    api,
    clock,
    staging,
    said,
    setStage,
    state: join(project, "terraform.test-green.tfstate"),
    stack: join(project, ".release", "test", "stacks", "test-green"),
    stage: (signal = new AbortController().signal) =>
      staging.stage({ color: "green", image: "registry/app:2", mark: "m1" }, { epoch: 7 }, signal),
    /** Resolves when progress with this text was told. */
    told: (text: string) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (said.some((message) => message.includes(text))) resolve();
        };
        listeners.add(check);
        check();
      }),
    [Symbol.asyncDispose]: () => rm(project, { recursive: true, force: true }),
  };
}
