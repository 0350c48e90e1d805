import type { CliCommand } from "./command.ts";
import { debugOption } from "./options.ts";

/** Adds `init`. */
export function addInit(root: CliCommand): void {
  root
    .command("init")
    .description("write a repository of your own that uses the kit")
    .argument("<directory>", "the folder to make")
    .option("--server <command>", "describe a server that exists, started by this command, such as 'python3 server.py'")
    .addOption(debugOption())
    .examples("mcp-bluegreen init my-server", "mcp-bluegreen init my-server --server 'python3 server.py'")
    .notes("Exit codes: 0 written, 2 wrong usage or the folder is not empty, 70 a fault of this command.")
    .action(async (directory: string, { server }: { readonly server?: string }) => {
      const { init } = await import("../init/main.ts");
      await init({ directory, ...(server !== undefined && { server }) });
    });
}
