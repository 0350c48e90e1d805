import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * The folder that relative paths of a user start from.
 *
 * `npm run` moves a command to the project's folder and tells in INIT_CWD where the user was.
 */
export function userFolder(
  variables: Readonly<Record<string, string | undefined>> = process.env,
  folder = process.cwd(),
): string {
  const started = variables.INIT_CWD ?? "";
  return folder === project && started !== "" ? started : folder;
}
