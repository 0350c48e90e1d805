import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { environmentSchema, InvalidEnvironment, type Environment } from "./environment.ts";
import { userFolder } from "./user-folder.ts";

/** No environment goes by that name; the message lists those that do. */
export class UnknownEnvironment extends Error {
  override readonly name = "UnknownEnvironment";
}

const ENVIRONMENTS = new URL("../environments/", import.meta.url);

/**
 * Loads an environment by its name, a file in environments/, or by the path of a file anywhere.
 *
 * @param folder what a relative path starts from. @default userFolder()
 *
 * @throws UnknownEnvironment; InvalidEnvironment if the file is not valid, or cannot be read as TypeScript
 */
export async function loadEnvironment(nameOrPath: string, folder = userFolder()): Promise<Environment> {
  const isPath = nameOrPath.endsWith(".ts") || nameOrPath.includes("/");
  if (!isPath && !(await environmentNames()).includes(nameOrPath)) {
    const known = (await environmentNames()).join(", ");
    throw new UnknownEnvironment(
      `there is no environment '${nameOrPath}'; there are: ${known}; or name a file by its path`,
    );
  }
  const file = isPath ? pathToFileURL(resolve(folder, nameOrPath)) : new URL(`${nameOrPath}.ts`, ENVIRONMENTS);
  const module = await importFile(file, nameOrPath);
  const { default: loaded } = module as { readonly default?: unknown };
  if (!environmentSchema.safeParse(loaded).success) {
    throw new UnknownEnvironment(`'${nameOrPath}' must have a default export made by environment({ … })`);
  }
  return loaded as Environment;
}

/** The names of the environments in environments/. */
export async function environmentNames(): Promise<string[]> {
  const files = await readdir(ENVIRONMENTS);
  return files.filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3));
}

async function importFile(file: URL, nameOrPath: string): Promise<unknown> {
  try {
    return await import(file.href);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
      throw new UnknownEnvironment(`'${nameOrPath}' could not be loaded: ${error.message}`);
    }
    if (error instanceof InvalidEnvironment || !(error instanceof Error)) throw error;
    const said = error instanceof SyntaxError ? error.message : `${error.name}: ${error.message}`;
    throw new InvalidEnvironment(`${whereIn(error, nameOrPath)}: ${said}`, { cause: error });
  }
}

/** Node puts the place of a syntax error, `file:line`, and the line itself, before the name of the error. */
function whereIn({ stack = "" }: Error, nameOrPath: string): string {
  const { file, line, code } =
    /^(?:file:\/\/)?(?<file>\/.*):(?<line>\d+)\n(?<code>[^]*?)\n *\^+\n/.exec(stack)?.groups ?? {};
  if (file === undefined) return `'${nameOrPath}' failed while it was loaded`;
  return `${file}:${line ?? ""}: '${(code ?? "").split("\n").at(-1)?.trim() ?? ""}'`;
}
