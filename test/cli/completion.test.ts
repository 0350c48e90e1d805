import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { complete } from "../../cli/completion/complete.ts";
import { program } from "../../cli/program.ts";
import { COMPILE_CACHE } from "../compile-cache.ts";
import { BIN, command, PROJECT, ran } from "./a-command.ts";

const environments = () => Promise.resolve(["local", "production", "staging"]);

const candidates = async (...words: readonly string[]) => {
  const { candidates, files } = await complete(program(), words, environments);
  return { values: candidates.map(({ value }) => value), files };
};

describe("the completion of a word", () => {
  it.each([
    ["the start of a command", ["rel"], ["release"], "none"],
    ["a command of a group", ["release", "r"], ["run", "retire", "rollback"], "none"],
    ["a command after help", ["help", "release", "st"], ["stage", "status"], "none"],
    ["an option", ["release", "rollback", "--t"], ["--to-changed-standby", "--take-over", "--target"], "none"],
    ["an option that is not there yet", ["local", "--port", "1", "--po"], [], "none"],
    ["an environment, or the path of one", ["release", "run", "-e", "s"], ["staging"], "files"],
    ["an environment after =", ["synth", "--environment=p"], ["--environment=production"], "files"],
    ["a choice", ["release", "status", "-o", ""], ["text", "json"], "none"],
    ["an argument with choices", ["completion", "z"], ["zsh"], "none"],
    ["a bundle", ["release", "run", "--image", "app/"], [], "files"],
    ["a folder", ["local", "--home", ""], [], "directories"],
    ["nothing for a number", ["local", "--port", ""], [], "none"],
  ])("finds %s", async (_, words, values, files) => {
    expect(await candidates(...words)).toEqual({ values, files });
  });

  it("does not show hidden options", async () => {
    expect((await candidates("release", "status", "--")).values).not.toContain("--json");
  });

  it("prints nothing on standard error, whatever was typed", async () => {
    for (const words of [["nope", "--what"], ["release", "run", "--image"], ["--", "-e="], []]) {
      expect(await command(["__complete", ...words])).toMatchObject({ code: 0, stderr: "" });
    }
  });
});

/** `undefined` if the shell is not installed. */
function versionOf(shell: string): string | undefined {
  try {
    return execFileSync(shell, ["--version"], { encoding: "utf8" }).split("\n")[0];
  } catch {
    return undefined;
  }
}

/** Prints what the shell would offer after `line`, a value per line. */
const OFFERS: Readonly<Record<string, (line: string) => string>> = {
  bash: (line) => `
    source <(mcp-bluegreen completion bash) || exit 1
    COMP_WORDS=(${line.replaceAll("=", " = ")}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    ${line.endsWith(" ") ? `COMP_WORDS+=("") COMP_CWORD=$((COMP_CWORD + 1))` : ""}
    _mcp_bluegreen
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // zsh completes on a terminal only: here in one of its own, where Tab lists the choices and then says that it has.
  zsh: (line) => `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "autoload -Uz compinit && compinit -u -d $HOME/zcompdump; source <(mcp-bluegreen completion zsh)"
    zpty -w shell "list() { zle list-choices; zle -R; print -n LIS''TED }; zle -N list; bindkey '^I' list; print RE''ADY"
    while zpty -r shell output; do [[ $output == *READY* ]] && break; done
    zpty -w -n shell $'${line}\\t'
    zpty -r shell output '*LISTED*'; print -r -- "$output"
    zpty -d shell`,
  fish: (line) => `mcp-bluegreen completion fish | source; complete -C '${line}' | string split -f 1 \\t`,
};

const SHELLS = ["bash", "zsh", "fish"].map((shell) => [shell, versionOf(shell)] as const);

describe.each(SHELLS)("the completion in %s", (shell, version) => {
  const test = version === undefined ? it.skip : it;
  const name = (what: string) => (version === undefined ? `${what} (skipped: ${shell} is not installed)` : what);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "completion-"));
    const executable = join(folder, "mcp-bluegreen");
    await writeFile(executable, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
    await chmod(executable, 0o755);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const offers = async (line: string): Promise<string> => {
    const script = join(folder, `script.${shell}`);
    await writeFile(script, OFFERS[shell]?.(line) ?? "");
    const { stdout, stderr } = await ran(shell, [script], PROJECT, {
      PATH: `${folder}:${process.env.PATH ?? ""}`,
      HOME: folder,
      TERM: "dumb",
      NODE_COMPILE_CACHE: COMPILE_CACHE,
    });
    return stdout + stderr;
  };

  test(
    name("offers commands, options and environments"),
    async () => {
      const commands = await offers("mcp-bluegreen release st");
      expect(commands).toMatch(/\bstage\b/);
      expect(commands).toMatch(/\bstatus\b/);
      expect(commands).not.toMatch(/\brollback\b/);

      expect(await offers("mcp-bluegreen release run --take")).toContain("--take-over");
      expect(await offers("mcp-bluegreen synth -e prod")).toMatch(/\bproduction\b/);
    },
    60_000,
  );

  test(
    name("offers the value of an option after ="),
    async () => {
      expect(await offers("mcp-bluegreen synth --environment=stag")).toMatch(/staging/);
    },
    60_000,
  );

  test(
    name("offers files where an option takes one"),
    async () => {
      expect(await offers("mcp-bluegreen build --entry READ")).toContain("README.md");
    },
    60_000,
  );
});
