import { join } from "node:path";
import { mustRun, PROJECT } from "../command.ts";

export interface StacksOptions {
  /** The folder of cdktf.json. */
  readonly folder: string;
  /** A name or a path, as ENVIRONMENT takes it. */
  readonly environment: string;
  /** What the names of its stacks begin with. */
  readonly prefix: string;
  readonly variables?: Readonly<Record<string, string>>;
}

/** The four stacks of an environment, deployed as a user does it, and destroyed when this is disposed of. */
export async function deployedStacks(options: StacksOptions): Promise<AsyncDisposable> {
  const { folder, environment, prefix } = options;
  const stacks = ["platform", "blue", "green", "traffic"].map((part) => `${prefix}-${part}`);
  const variables = { ...options.variables, ENVIRONMENT: environment };
  await mustRun("npm", ["run", "synth"], variables, folder);
  // cdktf asks the registry for a provider that is installed, unless the stack has a lock file.
  for (const stack of stacks) {
    await mustRun("terraform", [`-chdir=${join("cdktf.out", "stacks", stack)}`, "init", "-input=false"], {}, folder);
  }
  const cdktf = (command: string) =>
    mustRun("npx", ["--no", "cdktf", command, ...stacks, "--auto-approve"], variables, folder);
  const destroy = async () => {
    await cdktf("destroy");
  };
  await cdktf("deploy").catch(async (error: unknown) => {
    await destroy().catch(() => undefined);
    throw error;
  });
  return { [Symbol.asyncDispose]: destroy };
}

/** Runs a release command of an environment, as a user does it; fails unless it ends with 0. */
export async function releaseIn(
  { folder, environment }: Pick<StacksOptions, "folder" | "environment">,
  ...args: readonly string[]
): Promise<void> {
  await mustRun("npm", ["run", "release", "--", ...args], { ENVIRONMENT: environment }, folder);
}

export const inProject = (path: string): string => join(PROJECT, path);
