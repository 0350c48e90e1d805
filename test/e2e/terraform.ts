import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun, PROJECT, run } from "./command.ts";
import { redisPassword } from "./redis.ts";

export const STACKS = ["local-platform", "local-blue", "local-green", "local-traffic"] as const;

export type Stack = (typeof STACKS)[number];

/** What a synth is told besides the environment. */
export interface Inputs {
  readonly ENVIRONMENT?: string;
  readonly STAGE?: string;
  readonly ACTIVATE?: string;
  readonly TF_VAR_redis_url?: string;
}

/** The secret that this run deploys; it must turn up nowhere. */
export const requestStateKey = randomBytes(32).toString("base64url");

const withSecret = (inputs: Inputs) => ({
  ENVIRONMENT: "test/e2e/on-node-port.ts",
  ...inputs,
  TF_VAR_request_state_key: requestStateKey,
});

/** The user's own command. */
export async function deploy(stacks: readonly Stack[] | "all", inputs: Inputs = {}): Promise<void> {
  const named = stacks === "all" ? STACKS : stacks;
  const alone = stacks === "all" ? [] : ["--ignore-missing-stack-dependencies"];
  await mustRun("npx", ["--no", "cdktf", "deploy", ...named, "--auto-approve", ...alone], withSecret(inputs));
}

export async function destroy(): Promise<void> {
  await mustRun("npx", ["--no", "cdktf", "destroy", ...STACKS, "--auto-approve"], withSecret({}));
}

/** One change that a plan would make: `update kubernetes_service_v1.live`. */
export type Change = string;

/** What a deploy of each stack would change. */
export async function plan(inputs: Inputs = {}): Promise<Record<Stack, Change[]>> {
  await mustRun(process.execPath, ["main.ts"], withSecret(inputs));
  const changes = await Promise.all(STACKS.map(async (stack) => [stack, await planStack(stack)] as const));
  return Object.fromEntries(changes) as Record<Stack, Change[]>;
}

/**
 * Why Terraform cannot work here, if it cannot: where the provider is out of reach there is nothing to prove.
 *
 * Leaves every stack initialized, with a lock file: for one without, cdktf asks the registry even where the provider is installed.
 */
export async function missingProvider(): Promise<string | undefined> {
  await mustRun(process.execPath, ["main.ts"], withSecret({}));
  for (const stack of STACKS) {
    const { code, output } = await terraform(stack, ["init", "-input=false", "-no-color"]);
    if (code !== 0) return whatWentWrong(output);
  }
  return undefined;
}

/** Terraform wraps its errors in a frame, over several lines. */
function whatWentWrong(output: string): string {
  const text = output.replaceAll(/[│╷╵]/g, " ").replaceAll(/\s+/g, " ");
  return text.slice(Math.max(0, text.indexOf("Error: "))).slice(0, 300);
}

async function planStack(stack: Stack): Promise<Change[]> {
  const file = "e2e.tfplan";
  for (const args of [
    ["init", "-input=false"],
    ["plan", "-input=false", `-out=${file}`],
  ]) {
    const { code, output } = await terraform(stack, args);
    if (code !== 0)
      throw new Error(`terraform ${args[0] ?? ""} of ${stack} ended with ${code}:\n${output.slice(-2000)}`);
  }
  const { stdout } = await terraform(stack, ["show", "-json", file]);
  if ([requestStateKey, redisPassword].some((secret) => stdout.includes(secret)))
    throw new Error(`the plan of ${stack} shows a secret`);
  const { resource_changes: changes = [] } = JSON.parse(stdout) as PlanJson;
  return changes
    .filter(({ change }) => change.actions.join() !== "no-op")
    .map(({ change, address }) => `${change.actions.join("+")} ${address}`);
}

const SAVED = "e2e-saved.tfplan";

/** Synthesizes with these inputs and saves what Terraform would do in a stack. */
export async function savePlan(stack: Stack, inputs: Inputs): Promise<void> {
  await mustRun(process.execPath, ["main.ts"], withSecret(inputs));
  for (const args of [
    ["init", "-input=false"],
    ["plan", "-input=false", `-out=${SAVED}`],
  ]) {
    const { code, output } = await terraform(stack, args);
    if (code !== 0) throw new Error(`terraform ${args[0] ?? ""} of ${stack} ended with ${code}:\n${output}`);
  }
}

export const applySavedPlan = (stack: Stack) => terraform(stack, ["apply", "-input=false", "-no-color", SAVED]);

interface PlanJson {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: { readonly actions: readonly string[] };
  }[];
}

const terraform = (stack: Stack, args: readonly string[]) =>
  run("terraform", [`-chdir=${join("cdktf.out", "stacks", stack)}`, ...args], withSecret({}));

/** The state files that hold a text. */
export async function statesWith(text: string): Promise<string[]> {
  const names = (await readdir(PROJECT)).filter((name) => name.includes(".tfstate"));
  if (names.length === 0) throw new Error("there is no state file to look into");
  const texts = await Promise.all(names.map((name) => readFile(join(PROJECT, name), "utf8")));
  return names.filter((_, index) => texts[index]?.includes(text));
}
