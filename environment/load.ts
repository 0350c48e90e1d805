import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inContext } from "./access.ts";
import { environmentSchema, InvalidEnvironment, type Environment } from "./environment.ts";
import { projectFolder } from "./project.ts";
import { UnknownEnvironment } from "./unknown-environment.ts";
import { userFolder } from "./user-folder.ts";

export { UnknownEnvironment };

/**
 * Loads an environment by its name, a file in the project's folder `environments`, or by the path
 * of a file anywhere.
 *
 * @param folder where the user stands: a relative path starts from it, and the project is there or
 *   above. @default userFolder()
 * @param context a kubeconfig context, for an environment without one of its own. @default
 *   process.env.KUBE_CONTEXT
 *
 * @throws UnknownEnvironment; InvalidEnvironment if the file is not valid, or cannot be read as
 *   TypeScript
 */
export async function loadEnvironment(
  nameOrPath: string,
  folder = userFolder(),
  context = process.env.KUBE_CONTEXT,
): Promise<Environment> {
  const file = isPath(nameOrPath) ? resolve(folder, nameOrPath) : await fileOf(nameOrPath, folder);
  const module = await importFile(pathToFileURL(file), nameOrPath);
  const { default: loaded } = module as { readonly default?: unknown };
  if (!environmentSchema.safeParse(loaded).success) {
    throw new UnknownEnvironment(`'${nameOrPath}' must have a default export made by environment({ … })`);
  }
  return inContext(loaded as Environment, context);
}

/** Whether an environment is named by the path of its file. */
export const isPath = (nameOrPath: string): boolean => nameOrPath.endsWith(".ts") || /[/\\]/.test(nameOrPath);

/**
 * The names of the project's environments.
 *
 * @param folder where the user stands. @default userFolder()
 * @throws UnknownEnvironment if there is no project, or none in it
 */
export async function environmentNames(folder = userFolder()): Promise<string[]> {
  const environments = join(projectFolder(folder), FOLDER);
  const files = await readdir(environments).catch(() => []);
  const names = files.filter((file) => /(?<!\.d)\.ts$/.test(file)).map((file) => file.slice(0, -3));
  if (names.length > 0) return names;
  throw new UnknownEnvironment(
    `there is no environment in '${environments}': write one there, or name a file by its path`,
  );
}

const FOLDER = "environments";

async function fileOf(name: string, folder: string): Promise<string> {
  const names = await environmentNames(folder);
  if (names.includes(name)) return join(projectFolder(folder), FOLDER, `${name}.ts`);
  throw new UnknownEnvironment(
    `there is no environment '${name}'; there are: ${names.join(", ")}; or name a file by its path`,
  );
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

/**
 * Node puts the place of a syntax error, `file:line`, and the line itself, before the name of the
 * error.
 */
function whereIn({ stack = "" }: Error, nameOrPath: string): string {
  const { file, line, code } =
    /^(?:file:\/\/)?(?<file>\/.*):(?<line>\d+)\n(?<code>[^]*?)\n *\^+\n/.exec(stack)?.groups ?? {};
  if (file === undefined) return `'${nameOrPath}' failed while it was loaded`;
  return `${file}:${line ?? ""}: '${(code ?? "").split("\n").at(-1)?.trim() ?? ""}'`;
}
