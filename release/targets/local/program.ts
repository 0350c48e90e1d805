import { accessSync, constants, statSync, type Stats } from "node:fs";
import { extname } from "node:path";
import type { Server } from "../../../environment/schema/server.ts";
import { UsageError } from "../../errors.ts";

/** What a process of a color runs. */
export interface Program {
  /** The program and its arguments; `{port}` in them is the port of the process. */
  readonly command: readonly string[];
  readonly folder: string;
  /** Whether it gets the variables of the shell that the host was started from. */
  readonly inherits: boolean;
}

/** An artifact that is not there, or that cannot be run. */
export class MissingBuild extends UsageError {}

type Described = Pick<Server, "command" | "args">;

/** Files that Node runs. */
const SCRIPTS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/**
 * What `--image` means on this machine. A folder stands for the file system of an image: the server's command runs in it. A
 * file stands for its entry point: Node runs a script, anything else has to be executable.
 *
 * A described command is the user's own, and gets the user's variables, so that secrets can be set in a shell. A bundle alone
 * gets the settings of its environment and no more, as in a pod.
 *
 * @throws MissingBuild if there is nothing at this path, or nothing that runs
 */
export function programOf(image: string, { command, args = [] }: Described): Program {
  const inherits = command !== undefined;
  const found = statOf(image);
  if (found === undefined) throw new MissingBuild(missing(image, command));
  if (found.isDirectory()) {
    if (command !== undefined) return { command: [...command, ...args], folder: image, inherits };
    throw new MissingBuild(
      `'${image}' is a folder, and the environment has no command to run in it; ` +
        "name a bundle or an executable file, or describe the command in server.command",
    );
  }
  const folder = process.cwd();
  if (SCRIPTS.includes(extname(image))) {
    return { command: [process.execPath, "--enable-source-maps", image, ...args], folder, inherits };
  }
  if (isExecutable(image)) return { command: [image, ...args], folder, inherits: true };
  const remedy =
    command === undefined
      ? `name a bundle (${SCRIPTS.join(", ")}) or an executable file`
      : `name the folder in which '${command.join(" ")}' runs`;
  throw new MissingBuild(`'${image}' is not executable; ${remedy}`);
}

const missing = (image: string, command: readonly string[] | undefined) =>
  command === undefined
    ? `there is no build at '${image}'; run 'mcp-bluegreen build' first, or name another bundle with --image`
    : `there is nothing at '${image}'; name with --image the folder in which '${command.join(" ")}' runs`;

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
