import { resolve } from "node:path";
import { imageProblem, type Environment } from "../environments/environment.ts";
import { UsageError } from "./target.ts";
import { mustExist } from "./targets/local/build.ts";

/**
 * The name by which a target and its pods know the artifact that a person named: an image, or the whole path of a bundle.
 *
 * Asked before anything is written, since the record of the last release is what a rollback goes by: a misspelt name must not
 * replace it.
 *
 * @throws UsageError when it is not there, or may not run here
 */
export async function artifact(
  image: string,
  target: Environment["release"]["target"],
  { app }: Environment,
): Promise<string> {
  if (target === "local") {
    const path = resolve(image);
    await mustExist(path);
    return path;
  }
  const problem = imageProblem(image, app.imagePolicy);
  if (problem !== undefined) throw new UsageError(problem);
  return image;
}
