import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as a person would have seen them. */
  readonly output: string;
}

/** Runs a program, with more environment variables, and collects what it prints. */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  folder = PROJECT,
): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, stdout, output };
}

/** The same, where anything but exit code 0 is a failure of the step. */
export async function mustRun(
  program: string,
  args: readonly string[],
  environment?: Readonly<Record<string, string | undefined>>,
  folder = PROJECT,
): Promise<string> {
  const { code, stdout, output } = await run(program, args, environment, folder);
  if (code !== 0) throw new Error(`'${[program, ...args].join(" ")}' ended with ${code}:\n${tail(output)}`);
  return stdout;
}

const tail = (text: string) => text.trimEnd().split("\n").slice(-30).join("\n");
