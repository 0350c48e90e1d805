import { existsSync } from "node:fs";
import { extname } from "node:path";
import type { CliCommand } from "./command.ts";
import { debugOption } from "./options.ts";

/** What the module of `init` exports. */
interface InitModule {
  readonly init: (options: InitOptions) => Promise<void>;
}

interface InitOptions {
  /** The folder that is made. */
  readonly directory: string;
  /** The command of a server that exists. @default - the bundled app, with a tool of one's own */
  readonly server?: string;
}

const MODULE = new URL(`../init/main${extname(import.meta.url)}`, import.meta.url);

/** Adds `init`, if this version has it. */
export function addInit(root: CliCommand): void {
  if (!existsSync(MODULE)) return;
  root
    .command("init")
    .description("write a repository of your own that uses the kit")
    .argument("<directory>", "the folder to make")
    .option("--server <command>", "describe a server that exists, started by this command, such as 'python3 server.py'")
    .addOption(debugOption())
    .examples("mcp-bluegreen init my-server", "mcp-bluegreen init my-server --server 'python3 server.py'")
    .notes("Exit codes: 0 written, 2 wrong usage or the folder is not empty, 70 a fault of this command.")
    .action(async (directory: string, { server }: Omit<InitOptions, "directory">) => {
      const { init } = (await import(MODULE.href)) as InitModule;
      await init({ directory, ...(server !== undefined && { server }) });
    });
}
