import { readFileSync } from "node:fs";
import { addBuild } from "./build.ts";
import { CliCommand } from "./command.ts";
import { addCompletion } from "./completion.ts";
import { addInit } from "./init.ts";
import { addLocal } from "./local.ts";
import { addRehearse } from "./rehearse.ts";
import { addRelease } from "./release.ts";
import { addSynth } from "./synth.ts";

/** The name of the executable in every help, however the program was started. */
export const NAME = "mcp-bluegreen";

/**
 * The command line of the kit.
 *
 * The modules that declare commands import nothing heavy: an action loads the code that it runs, so that a help, and the
 * completion of a word, come at once.
 */
export function program(): CliCommand {
  const root = new CliCommand(NAME)
    .description("Deploys an MCP server to Kubernetes in two colors, and releases new versions of it.")
    .version(version(), "-V, --version", "print the version of the kit")
    .helpCommand("help [command]", "show the help of a command")
    .examples(
      `${NAME} rehearse`,
      `${NAME} release run -e staging --image registry.example/app@sha256:… --version 1.1.0`,
      `${NAME} release run --help`,
    )
    .notes(
      "-e chooses the environment in every command: the option, otherwise ENVIRONMENT, otherwise 'local'.",
      "In the kit's own repository 'npm run release -- …' is the same as 'mcp-bluegreen release …'.",
    );
  for (const add of [addRelease, addRehearse, addLocal, addSynth, addInit, addBuild, addCompletion]) add(root);
  return root;
}

function version(): string {
  // The manifest is one folder above the sources, and two above the compiled files.
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as Record<
        string,
        string
      >;
      if (name === NAME && version !== undefined) return version;
    } catch {
      continue;
    }
  }
  return "unknown";
}
