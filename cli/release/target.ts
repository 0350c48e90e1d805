import type { Environment } from "../../environment/environment.ts";
import type { Target } from "../../release/ports/target.ts";
import { LocalTarget } from "../../release/targets/local/target.ts";
import type { TargetOptions } from "../release.ts";

/** Where a command releases to: the option, otherwise the environment's target. */
export const targetKind = ({ target }: TargetOptions, environment: Environment): "local" | "kubernetes" =>
  target ?? environment.release.target;

/**
 * Opens the target of a command. `await using` closes it.
 *
 * @param progress receives every step of Terraform that takes more than two seconds. @default nothing
 */
export async function openTarget(
  options: TargetOptions,
  environment: Environment,
  progress?: (message: string) => void,
): Promise<Target & AsyncDisposable> {
  const target = await open(options, environment, progress);
  return Object.assign(target, { [Symbol.asyncDispose]: () => target.close() });
}

async function open(
  options: TargetOptions,
  environment: Environment,
  progress?: (message: string) => void,
): Promise<Target> {
  if (targetKind(options, environment) === "local") return await LocalTarget.open(environment);
  // Loads only where it is needed: a release on this machine needs no cluster.
  const { openKubernetesTarget } = await import("../../release/targets/kubernetes/open.ts");
  return openKubernetesTarget(options.environment, environment, progress);
}
