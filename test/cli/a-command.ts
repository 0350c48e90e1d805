import { execFile } from "node:child_process";
import { join } from "node:path";
import { COMPILE_CACHE } from "../compile-cache.ts";

export const PROJECT = join(import.meta.dirname, "../..");

export const BIN = join(PROJECT, "cli/bin.ts");

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** @default - the project's folder */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A script of the project. @default - the executable */
  readonly script?: string;
}

/** Runs a command as a user does, with no variables but those that are given. */
export function command(
  args: readonly string[],
  { cwd = PROJECT, env = {}, script = BIN }: Surroundings = {},
): Promise<Ran> {
  return ran(process.execPath, [script, ...args], cwd, {
    PATH: process.env.PATH,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...env,
  });
}

/** Runs any program. */
export function ran(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
    child.stdin?.end();
  });
}
