import type { Command, Option } from "commander";

/** What a shell adds to the candidates. */
export type Files = "none" | "files" | "directories";

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: Files;
}

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/**
 * Completes the last word of a command line.
 *
 * @param words those after the name of the program, up to the cursor; the last one may be empty
 * @param environments the names that `-e` takes
 */
export async function complete(
  program: Command,
  words: readonly string[],
  environments: () => Promise<readonly string[]>,
): Promise<Completion> {
  const last = words.at(-1) ?? "";
  const { command, awaitsValue, used, operands } = walk(program, words.slice(0, -1));
  const [, flag, partial] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const joined = flag === undefined ? undefined : optionOf(command, flag);
  if (joined !== undefined) return await valuesOf(joined, partial ?? "", environments, `${flag ?? ""}=`);
  if (awaitsValue !== undefined) return await valuesOf(awaitsValue, last, environments);
  if (last.startsWith("-")) return { candidates: startingWith(last, flagsOf(command, used)), files: "none" };
  const argument = command.registeredArguments[operands];
  if (argument?.argChoices !== undefined) {
    const choices = argument.argChoices.map((value) => ({ value, description: "" }));
    return { candidates: startingWith(last, choices), files: "none" };
  }
  if (argument !== undefined) return { candidates: [], files: "directories" };
  return { candidates: startingWith(last, commandsOf(command)), files: "none" };
}

interface Place {
  readonly command: Command;
  /** The option whose value the next word is. */
  readonly awaitsValue: Option | undefined;
  readonly used: ReadonlySet<Option>;
  /** Words that are neither commands nor options. */
  readonly operands: number;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let awaitsValue: Option | undefined;
  let used = new Set<Option>();
  let operands = 0;
  for (const word of words) {
    if (awaitsValue !== undefined) {
      awaitsValue = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = optionOf(command, word.replace(/=.*$/s, ""));
      if (option === undefined) continue;
      used.add(option);
      if (option.required && !word.includes("=")) awaitsValue = option;
      continue;
    }
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) {
      // 'help release' completes the commands of 'release'.
      if (command !== program || word !== "help") operands += 1;
      continue;
    }
    command = next;
    used = new Set();
  }
  return { command, awaitsValue, used, operands };
}

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ long, short }) => long === flag || short === flag);

const visible = (command: Command) => command.createHelp();

function flagsOf(command: Command, used: ReadonlySet<Option>): Candidate[] {
  return visible(command)
    .visibleOptions(command)
    .filter((option) => !used.has(option))
    .map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
}

function commandsOf(command: Command): Candidate[] {
  const help = visible(command);
  return help
    .visibleCommands(command)
    .map((child) => ({ value: child.name(), description: help.subcommandDescription(child) }));
}

async function valuesOf(
  option: Option,
  partial: string,
  environments: () => Promise<readonly string[]>,
  prefix = "",
): Promise<Completion> {
  const isEnvironment = option.long === "--environment";
  const values = option.argChoices ?? (isEnvironment ? await environments() : []);
  const candidates = startingWith(
    partial,
    values.map((value) => ({ value, description: "" })),
  ).map(({ value, description }) => ({ value: `${prefix}${value}`, description }));
  return { candidates, files: isEnvironment ? "files" : filesOf(option) };
}

/** The placeholder in its flags says what an option takes. */
function filesOf({ flags }: Option): Files {
  if (/<(file|bundle|image)>/.test(flags)) return "files";
  return flags.includes("<dir>") ? "directories" : "none";
}

const startingWith = (start: string, candidates: readonly Candidate[]): Candidate[] =>
  candidates.filter(({ value }) => value.startsWith(start));
