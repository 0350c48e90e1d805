import { InvalidArgumentError, Option } from "commander";

export type Output = "text" | "json";

/** An empty value counts as absent, since scripts pass those. */
export const unlessEmpty = (value: string, previous: string | undefined): string | undefined =>
  value === "" ? previous : value;

/** The one rule for environments: the option, otherwise the variable `ENVIRONMENT`, otherwise `local`. */
export const environmentOption = (): Option =>
  new Option("-e, --environment <name>", "a file in environments/, or the path of one")
    .env("ENVIRONMENT")
    .default("local")
    .argParser(unlessEmpty);

/** The kubeconfig context of an environment that names none; see `inContext` of environment/access.ts. */
export const contextOption = (): Option =>
  new Option("--context <name>", "the kubeconfig context, for an environment that names none")
    .env("KUBE_CONTEXT")
    .argParser(unlessEmpty);

/** @param what is printed as JSON, for the help */
export const outputOption = (what: string): Option =>
  new Option("-o, --output <format>", `'json' prints ${what}`).choices(["text", "json"]).default("text");

/** The older form of `-o json`, which scripts use. */
export const jsonOption = (): Option => new Option("--json").implies({ output: "json" }).hideHelp();

export const debugOption = (): Option => new Option("--debug", "show the stack trace of an error");

/** @param what is served there, for the help */
export const portOption = (what: string, fallback: number): Option =>
  new Option("--port <port>", `${what}; 0 for any free one`).default(fallback).argParser(port);

/** @throws InvalidArgumentError */
function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
  return value;
}
