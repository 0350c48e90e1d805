import { describe, expect, it } from "@jest/globals";
import type { Command } from "commander";
import type { CliCommand } from "../../cli/command.ts";
import { program } from "../../cli/program.ts";
import { command, type Ran } from "./a-command.ts";

/** Every command, as a user types it, without the name of the program. */
function paths(parent: Command): string[][] {
  return parent.commands.flatMap((child) => [[child.name()], ...paths(child).map((path) => [child.name(), ...path])]);
}

const PATHS = [[], ...paths(program())];

describe("the help", () => {
  const helps = new Map<string, Promise<Ran>>();
  const help = (path: readonly string[]) => {
    const name = path.join(" ");
    const help = helps.get(name) ?? command([...path, "--help"]);
    helps.set(name, help);
    return help;
  };

  it.each(PATHS.map((path) => [path.join(" ") || "the program", path] as const))(
    "of %s has one executable name, a sentence, an example, and exit codes if the command does something",
    async (_, path) => {
      const { code, stdout, stderr } = await help(path);
      const full = ["mcp-bluegreen", ...path].join(" ");

      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.split("\n")[0]).toMatch(new RegExp(`^Usage: ${full}( |$)`));
      expect(stdout.split("\n")[2]).toMatch(/^[A-Z].*\.$|^[A-Z].{80,}/);
      expect(stdout).toContain("\nExamples:\n  $ ");
      const examples = stdout
        .slice(stdout.indexOf("Examples:"))
        .split("\n")
        .filter((line) => line.startsWith("  $"));
      expect(examples.filter((line) => !line.includes("mcp-bluegreen") && !line.includes("cdktf deploy"))).toEqual([]);
      if (path.length > 0 && path[0] !== "completion") expect(stdout).toMatch(/Exit codes:/);
    },
    30_000,
  );

  it.each([
    [
      ["release", "run"],
      ["ENVIRONMENT", "KUBECONFIG", "BLUEGREEN_HOME", "RELEASE_TOKEN", "NO_COLOR"],
    ],
    [
      ["release", "status"],
      ["ENVIRONMENT", "KUBECONFIG", "BLUEGREEN_HOME", "NO_COLOR"],
    ],
    [["local"], ["ENVIRONMENT", "BLUEGREEN_HOME"]],
    [["synth"], ["ENVIRONMENT", "STAGE", "STAGE_MARK", "STAGE_EPOCH", "ACTIVATE", "KUBECONFIG", "INIT_CWD"]],
  ])(
    "of %j names the variables that the command reads",
    async (path, variables) => {
      const { stdout } = await help(path);

      expect(variables.filter((name) => !stdout.includes(name))).toEqual([]);
    },
    30_000,
  );

  it("of every command that takes an environment says the same about it", async () => {
    // A rehearsal takes that of a server of one's own, and the bundled app without it.
    const sentences = PATHS.filter(([name]) => name !== "rehearse")
      .map((path) => find(program(), path))
      .flatMap(({ options }) => options.filter(({ long }) => long === "--environment"))
      .map(({ flags, description, envVar, defaultValue }) => [flags, description, envVar, String(defaultValue)]);

    expect(sentences.length).toBeGreaterThan(10);
    expect(new Set(sentences.map((sentence) => JSON.stringify(sentence))).size).toBe(1);
    await Promise.resolve();
  });

  it("has no colors where it is not read on a terminal", async () => {
    expect((await help([])).stdout).not.toContain("\u001b");
  });
});

function find(root: CliCommand, path: readonly string[]): Command {
  return path.reduce<Command>((parent, name) => parent.commands.find((child) => child.name() === name) ?? parent, root);
}
