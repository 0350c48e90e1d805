import { Command, CommanderError, type Argument, type HelpContext } from "commander";
import { UsageError } from "../release/errors.ts";

/** Exit code for wrong usage, of every command. */
export const USAGE_EXIT_CODE = 2;

type Variables = Readonly<Record<string, string>>;

/**
 * A command whose help ends with examples and with the variables that it reads, and whose usage errors are exceptions.
 *
 * A usage error is thrown before any action starts, as one line that names the help of the command that refused it.
 */
export class CliCommand extends Command {
  readonly #examples: string[] = [];
  readonly #variables: [name: string, meaning: string][] = [];
  readonly #notes: string[] = [];

  constructor(name?: string) {
    super(name);
    this.exitOverride().enablePositionalOptions();
    this.configureHelp(HELP);
    this.configureOutput({
      getOutHelpWidth: () => width(process.stdout),
      getErrHelpWidth: () => width(process.stderr),
    });
    this.addHelpText("after", (context) => this.#after(context));
  }

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  /** Command lines, without the prompt. */
  examples(...lines: readonly string[]): this {
    this.#examples.push(...lines);
    return this;
  }

  variables(variables: Variables): this {
    this.#variables.push(...Object.entries(variables));
    return this;
  }

  /** Paragraphs at the end of the help. */
  notes(...paragraphs: readonly string[]): this {
    this.#notes.push(...paragraphs);
    return this;
  }

  /** Its name with those of its parents, as a user types it. */
  get path(): string {
    return this.parent instanceof CliCommand ? `${this.parent.path} ${this.name()}` : this.name();
  }

  /** @throws UsageError always */
  override error(message: string): never {
    const problem = message
      .replace(/^error: /, "")
      .replace(/\n\(Did you mean (.*)\?\)$/s, " (did you mean $1?)")
      .replace(/\.$/, "");
    throw new UsageError(`${problem}; see '${this.path} --help'`);
  }

  #after({ error }: HelpContext): string {
    if (error) return "";
    const width = Math.max(...this.#variables.map(([name]) => name.length));
    const variables = this.#variables.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
    return [
      ...section("Variables:", variables),
      ...section(
        "Examples:",
        this.#examples.map((line) => `  $ ${line}`),
      ),
      ...this.#notes.map((paragraph) => `\n${paragraph}`),
    ].join("\n");
  }
}

/** Lines of a help are as long as the terminal allows, and no longer than people like to read. */
const width = ({ columns = MAX_WIDTH }: { readonly columns?: number }): number => Math.min(columns, MAX_WIDTH);
const MAX_WIDTH = 110;

const HELP = {
  // Every command has options; its own help shows them.
  subcommandTerm: (command: Command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(" "),
  commandDescription: (command: Command) => sentence(command.description()),
};

const argumentTerm = (argument: Argument) => (argument.required ? `<${argument.name()}>` : `[${argument.name()}]`);

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

const section = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [`\n${title}`, ...lines]);

/** Whether commander has printed a help, and with which exit code. `undefined` for any other error. */
export function helpExitCode(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined;
  return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
}
