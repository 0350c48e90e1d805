import { resolve } from "node:path";
import type { Environment } from "../environment/environment.ts";
import { imageProblem } from "../environment/image.ts";
import { userFolder } from "../environment/user-folder.ts";
import { UsageError } from "./errors.ts";
import { programOf } from "./targets/local/program.ts";

/**
 * Resolves the artifact that a user named: an image, or the absolute path of what runs on this machine.
 *
 * This happens before anything is written. A rollback depends on the record of the last release, and a misspelled name
 * must not replace it.
 *
 * @throws UsageError if it does not exist, or may not run here
 */
export function artifact(
  image: string,
  target: Environment["release"]["target"],
  { app, server }: Environment,
): string {
  if (target === "local") {
    const path = resolve(userFolder(), image);
    programOf(path, server);
    return path;
  }
  const problem = imageProblem(image, app.imagePolicy);
  if (problem !== undefined) throw new UsageError(problem);
  return image;
}
