import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { label1035 } from "../environment/patterns.ts";
import { userFolder } from "../environment/user-folder.ts";
import { UsageError } from "../release/errors.ts";
import { kitManifest, manifestOf, TEMPLATE } from "./manifest.ts";
import { wordsOf } from "../release/targets/local/command-line.ts";

export interface InitOptions {
  /** The folder that is made, or an empty one. */
  readonly directory: string;
  /** The command of a server that exists. @default - the bundled app, with a tool of one's own */
  readonly server?: string;
}

/**
 * Writes a repository of a user's own that depends on the kit and contains none of its code.
 *
 * @throws UsageError if the folder has files, or its name cannot be the name of an app
 */
export async function init({ directory, server }: InitOptions): Promise<void> {
  const folder = resolve(userFolder(), directory);
  const name = nameOf(folder);
  const command = server === undefined ? undefined : wordsOf(server);
  await mustBeEmpty(folder);
  const values = { name, command: `[${(command ?? []).map((word) => JSON.stringify(word)).join(", ")}]` };
  for (const part of ["base", command === undefined ? "tool" : "server"]) {
    for (const file of await filesIn(join(TEMPLATE, part))) {
      const text = await readFile(join(TEMPLATE, part, file), "utf8");
      await write(join(folder, targetOf(file)), filled(text, values));
    }
  }
  const manifest = manifestOf(await kitManifest(), name, command === undefined ? "tool" : "server");
  await write(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  process.stdout.write(`'${name}' is written to ${folder}; next:\n${next(folder, command)}`);
}

/** The folder's name, as Kubernetes accepts it for objects. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "")
    .slice(0, 42);
  if (label1035.safeParse(name).success && name !== "mcp") return name;
  throw new UsageError(
    `'${basename(folder)}' cannot be the name of an app: name a folder such as 'weather', with letters, digits and '-'`,
  );
}

async function mustBeEmpty(folder: string): Promise<void> {
  try {
    const [first] = (await readdir(folder)).filter((file) => file !== ".git");
    if (first !== undefined) throw new UsageError(`'${folder}' is not empty, it has '${first}': name another folder`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTDIR") throw new UsageError(`'${folder}' is a file: name another folder`, { cause: error });
    if (code !== "ENOENT") throw error;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/**
 * npm leaves files such as .gitignore out of a package, so that their names begin with `_` in the
 * template.
 */
const targetOf = (file: string) => file.replace(/(^|\/)_/, "$1.");

const filled = (text: string, values: Readonly<Record<string, string>>) =>
  text.replaceAll(/__(name|command)__/g, (place, key: string) => values[key] ?? place);

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

function next(folder: string, command: readonly string[] | undefined): string {
  const steps = command === undefined ? "npm test && npm run build && npm run local" : "npm run synth && npm run local";
  const path = relative(userFolder(), folder);
  const where = path.startsWith("..") ? folder : path;
  return `${where === "" ? "" : `  cd ${where}\n`}  npm install && ${steps}\n`;
}
