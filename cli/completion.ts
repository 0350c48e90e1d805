import { Argument } from "commander";
import type { CliCommand } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/** Adds `completion`. */
export function addCompletion(root: CliCommand): void {
  root
    .command("completion")
    .description("print a script that completes commands, options, environments and files in your shell")
    .addArgument(new Argument("<shell>", "the shell that reads the script").choices(SHELLS))
    .examples(
      "source <(mcp-bluegreen completion bash)                                        # in ~/.bashrc",
      "source <(mcp-bluegreen completion zsh)                                         # in ~/.zshrc, after compinit",
      "mcp-bluegreen completion fish > ~/.config/fish/completions/mcp-bluegreen.fish",
    )
    .notes("The script completes words after 'mcp-bluegreen', and not after 'npx mcp-bluegreen'.")
    .action(async (shell: Shell) => {
      const { SCRIPTS } = await import("./completion/scripts.ts");
      process.stdout.write(SCRIPTS[shell]);
    });
}
