import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../environment/project.ts";
import { UsageError } from "../release/errors.ts";

export interface Project {
  /** The folder of cdktf.json. */
  readonly folder: string;
  /** The command that synthesizes, for a shell. */
  readonly app: string;
}

/**
 * Finds the cdktf project of a user: the nearest folder with a cdktf.json, from the given one upward.
 *
 * @throws UnknownEnvironment if there is none; UsageError if it names no app
 */
export function findProject(from: string): Project {
  const folder = projectFolder(from);
  const file = join(folder, "cdktf.json");
  const app = readApp(file);
  if (app === undefined) throw new UsageError(`'${file}' has no field 'app' with the command that synthesizes`);
  return { folder, app };
}

function readApp(file: string): string | undefined {
  try {
    const { app } = JSON.parse(readFileSync(file, "utf8")) as { readonly app?: unknown };
    return typeof app === "string" && app !== "" ? app : undefined;
  } catch (error) {
    throw new UsageError(`'${file}' cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
