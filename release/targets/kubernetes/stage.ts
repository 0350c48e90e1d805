import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../../environments/environment.ts";
import type { Color } from "../../color.ts";
import { TargetUnreachable } from "../../target.ts";

const project = fileURLToPath(new URL("../../../", import.meta.url));

/** Lines of output that a failed deploy shows. */
const TAIL = 20;

/**
 * Deploys a color's stack with an image: the one change of a release that Terraform makes, since the pods are Terraform's.
 *
 * @throws TargetUnreachable with the end of Terraform's output
 */
export async function deployColor(
  environment: string,
  { name }: Environment,
  color: Color,
  image: string,
): Promise<void> {
  const child = spawn(
    "npx",
    ["--no", "cdktf", "deploy", `${name}-${color}`, "--auto-approve", "--ignore-missing-stack-dependencies"],
    {
      cwd: project,
      env: { ...process.env, ENVIRONMENT: environment, STAGE: `${color}=${image}`, ACTIVATE: "" },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      lines.push(...text.split("\n").filter((line) => line.trim() !== ""));
      lines.splice(0, lines.length - TAIL);
    });
  }
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new TargetUnreachable(`'cdktf deploy ${name}-${color}' failed:\n${lines.join("\n")}`);
}
