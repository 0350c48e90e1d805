import { delimiter, resolve } from "node:path";
import { checkContext } from "../../../environment/access.ts";
import type { Environment } from "../../../environment/environment.ts";
import { isPath } from "../../../environment/load.ts";
import { projectFolder } from "../../../environment/project.ts";
import { userFolder } from "../../../environment/user-folder.ts";
import type { Target } from "../../ports/target.ts";
import { systemClock } from "../../system-clock.ts";
import { openKubeApi } from "./api/open.ts";
import type { Fences } from "./fences.ts";
import { JobMigrations } from "./migration/job-migrations.ts";
import { synthesizedSettings } from "./staging/synthesized-settings.ts";
import { TerraformStaging } from "./staging/terraform-staging.ts";
import { kubernetesTarget } from "./target.ts";

/**
 * Opens the cluster that kubectl would use, with the environment's context. Sends nothing yet.
 *
 * @param name the environment as the user named it: a name, or a path
 * @param progress receives every step of Terraform that takes more than two seconds. @default nothing
 * @throws UsageError for a kubeconfig that cannot be used
 */
export function openKubernetesTarget(
  name: string,
  environment: Environment,
  progress?: (message: string) => void,
): Target {
  const opened = openKubeApi(environment);
  checkContext(environment, opened.context);
  const { api, description } = opened;
  const clock = systemClock;
  const { migration } = environment;
  const staging = (fences: Fences) =>
    new TerraformStaging({
      api,
      fences,
      clock,
      environment,
      environmentInput: isPath(name) ? resolve(userFolder(), name) : name,
      project: () => projectFolder(),
      env: { ...process.env, ...absoluteKubeconfig(), KUBE_CONTEXT: environment.context },
      ...(progress && { progress }),
    });
  const target = kubernetesTarget({
    api,
    environment,
    description,
    clock,
    staging,
    ...(migration && {
      migrations: (fences: Fences) =>
        new JobMigrations({
          api,
          fences,
          clock,
          migration,
          settings: async (stage, fence, signal) => {
            const folder = await staging(fences).synthesize(stage, fence, signal);
            return await synthesizedSettings(folder, api.names.color(stage.color));
          },
        }),
    }),
  });
  return {
    ...target,
    async close() {
      await target.close();
      opened.close();
    },
  };
}

/** The synth and Terraform run in other folders. */
function absoluteKubeconfig(): NodeJS.ProcessEnv {
  const { KUBECONFIG = "" } = process.env;
  const files = KUBECONFIG.split(delimiter).filter((file) => file !== "");
  return files.length === 0 ? {} : { KUBECONFIG: files.map((file) => resolve(userFolder(), file)).join(delimiter) };
}
