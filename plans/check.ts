import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { deletionsInUse, haveDeployments, inWords } from "./deletions.ts";
import { planSchema, type Plan } from "./plan.ts";

const HELP = `Usage: node plans/check.ts [plan.json …]

Refuses a deploy that deletes a Secret, ConfigMap, claim or service account that the Deployment of a color still names.

Give the plans of all stacks of an environment, each as 'terraform show -json PLAN' prints it. Without a file, the command
plans every stack in cdktf.out/stacks itself, with Terraform and the cluster that a deploy would use; it applies nothing.

Exit codes: 0 no such deletion, 1 there is one, 2 the plans cannot be read
`;

/** Nothing that the plans tell could be judged. The message says what to do. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

const STACKS = "cdktf.out/stacks";

const run = promisify(execFile);

async function plansOf(files: readonly string[]): Promise<readonly Plan[]> {
  if (files.length > 0) return await Promise.all(files.map(async (file) => read(file, await text(file))));
  const folders = await readdir(STACKS).catch(() => []);
  if (folders.length === 0)
    throw new Unreadable(`there are no stacks in ${STACKS}: run a synth first, or name the plans`);
  const scratch = await mkdtemp(join(tmpdir(), "plans-"));
  try {
    const plans: Plan[] = [];
    for (const folder of folders) plans.push(await planned(join(STACKS, folder), join(scratch, `${folder}.tfplan`)));
    return plans;
  } finally {
    // A plan contains the values of the state.
    await rm(scratch, { recursive: true });
  }
}

async function planned(folder: string, file: string): Promise<Plan> {
  process.stderr.write(`planning ${folder} …\n`);
  const options = { cwd: folder, env: { ...process.env, TF_IN_AUTOMATION: "1" }, maxBuffer: 64 << 20 };
  try {
    await run("terraform", ["init", "-input=false", "-no-color"], options);
    await run("terraform", ["plan", "-input=false", "-no-color", "-lock=false", `-out=${file}`], options);
    return read(folder, (await run("terraform", ["show", "-json", file], options)).stdout);
  } catch (error) {
    if (error instanceof Unreadable || !(error instanceof Error)) throw error;
    const printed = "stderr" in error ? String(error.stderr).trim() : "";
    throw new Unreadable(`could not plan '${folder}': ${printed === "" ? error.message : printed}`);
  }
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Unreadable(`could not read '${file}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

function read(file: string, json: string): Plan {
  try {
    const plan: unknown = JSON.parse(json);
    // What is no plan may look like an empty one.
    if (typeof plan === "object" && plan !== null && "format_version" in plan) return planSchema.parse(plan);
  } catch {
    // Told below.
  }
  throw new Unreadable(`'${file}' is no plan: it must be what 'terraform show -json' prints of one`);
}

function argumentsOf(): readonly string[] | "help" {
  try {
    const { values, positionals } = parseArgs({ options: { help: { type: "boolean" } }, allowPositionals: true });
    return values.help === true ? "help" : positionals;
  } catch (error) {
    throw new Unreadable(`${error instanceof Error ? error.message : String(error)}; see --help`);
  }
}

try {
  const files = argumentsOf();
  if (files === "help") process.stdout.write(HELP);
  else {
    const plans = await plansOf(files);
    if (!haveDeployments(plans)) throw new Unreadable("no plan has a Deployment: give the plans of all stacks");
    const found = deletionsInUse(plans);
    for (const deletion of found) process.stderr.write(`${inWords(deletion)}\n`);
    process.exitCode = found.length === 0 ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof Unreadable)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
