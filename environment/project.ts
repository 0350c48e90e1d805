import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { UnknownEnvironment } from "./unknown-environment.ts";
import { userFolder } from "./user-folder.ts";

/**
 * The project that the user stands in: the nearest folder with a cdktf.json, from there upwards.
 *
 * `npm --prefix <project> run …` is called from anywhere: then it is the one that npm has moved the
 * command to.
 *
 * @param folder where the user stands. @default userFolder()
 * @throws UnknownEnvironment if there is none
 */
export function projectFolder(folder = userFolder()): string {
  const found = nearest(folder) ?? (folder === userFolder() ? nearest(process.cwd()) : undefined);
  if (found !== undefined) return found;
  throw new UnknownEnvironment(
    `there is no cdktf.json in '${folder}' or above it: go to the folder of your project, or make one with 'mcp-bluegreen init <folder>'`,
  );
}

function nearest(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "cdktf.json"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
