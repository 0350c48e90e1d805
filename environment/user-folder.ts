import { dirname } from "node:path";

/**
 * The folder that relative paths of a user start from.
 *
 * `npm run` moves a command to the folder of package.json, and its variables say which file that is
 * and where the user stands. A process that such a command starts in another folder inherits both,
 * and stands where it was started.
 */
export function userFolder(
  variables: Readonly<Record<string, string | undefined>> = process.env,
  folder = process.cwd(),
): string {
  const { INIT_CWD: started = "", npm_package_json: manifest = "" } = variables;
  return started !== "" && manifest !== "" && dirname(manifest) === folder ? started : folder;
}
