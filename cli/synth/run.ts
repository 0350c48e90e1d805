import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { userFolder } from "../../environment/user-folder.ts";
import { findProject } from "../project.ts";

/** What a synth does, as the app command reads it from its variables. */
interface SynthInputs {
  readonly environment: string;
  readonly context?: string;
  readonly stage?: string;
  readonly activate?: string;
  readonly app?: string;
}

/**
 * Runs the app command of the user's project.
 *
 * @returns its exit code
 * @throws UsageError if there is no project
 */
export async function runSynth({
  environment,
  context = "",
  stage = "",
  activate = "",
  app = "",
}: SynthInputs): Promise<number> {
  const { folder, app: command } = findProject(userFolder());
  const child = spawn(command, {
    shell: true,
    cwd: folder,
    stdio: "inherit",
    env: {
      ...process.env,
      ENVIRONMENT: environment,
      KUBE_CONTEXT: context,
      STAGE: stage,
      ACTIVATE: activate,
      BLUEGREEN_APP: app,
      // Relative paths start from here, as `npm run` says it.
      INIT_CWD: userFolder(),
      npm_package_json: join(folder, "package.json"),
    },
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0)
    process.stdout.write(`stacks: ${join(resolve(folder, process.env.CDKTF_OUTDIR ?? "cdktf.out"), "stacks")}\n`);
  return code ?? 1;
}
