import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { imageProblem, type Environment } from "./environments/environment.ts";
import { COLORS, type Color } from "./release/color.ts";

/** Everything a synth depends on besides the environment file. */
export interface Inputs {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly stage?: { readonly color: Color; readonly image: string };
  readonly activate?: Color;
  readonly kubeconfig: readonly string[];
}

/** Inputs that make no sense. The message says what would. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
}

export const HELP = `Usage: npm run synth -- [options]

Writes the stacks of an environment to cdktf.out. 'cdktf deploy' runs this too, with the variables.

  --environment <name or file>  ENVIRONMENT  one of environments/, or a file of your own (default: local)
  --stage <color>=<image>       STAGE        put this image, and the environment's settings, on a color
  --activate <color>            ACTIVATE     give this color the traffic
  --help

Without 'stage' no pod changes, without 'activate' no traffic moves. KUBECONFIG says where the cluster is.
`;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the inputs: options first, then variables. An empty one counts as absent, since scripts write those.
 *
 * @returns "help" when that was asked for
 * @throws InvalidInput
 */
export function readInputs(args: readonly string[], variables: Variables): Inputs | "help" {
  const { help, ...options } = parseOptions(args);
  if (help) return "help";
  const environment = given(options.environment, variables.ENVIRONMENT) ?? "local";
  const stage = given(options.stage, variables.STAGE);
  const activate = given(options.activate, variables.ACTIVATE);
  const inputs = {
    environment,
    ...(stage === undefined ? {} : { stage: readStage(stage) }),
    ...(activate === undefined ? {} : { activate: readColor("activate", activate) }),
    kubeconfig: readKubeconfig(variables.KUBECONFIG),
  };
  if (inputs.stage !== undefined && inputs.stage.color === inputs.activate) {
    throw new InvalidInput(
      `stage and activate name the same color, '${inputs.activate}': stage it, verify it, and activate it with another deploy`,
    );
  }
  return inputs;
}

/**
 * Holds an image that is to be staged to what the environment demands of images.
 *
 * @throws InvalidInput
 */
export function checkStagedImage({ stage }: Inputs, { app }: Environment): void {
  const problem = stage === undefined ? undefined : imageProblem(stage.image, app.imagePolicy);
  if (problem !== undefined) throw new InvalidInput(`stage: ${problem}`);
}

/** A line for each input that was given, to be shown: whoever deploys sees what it does besides bringing things up to date. */
export function describeInputs({ environment, stage, activate, kubeconfig }: Inputs): string[] {
  return [
    `environment: ${environment}`,
    `kubeconfig: ${kubeconfig.join(delimiter)}`,
    ...(stage === undefined ? [] : [`stage: ${stage.image} on ${stage.color}`]),
    ...(activate === undefined ? [] : [`activate: ${activate}`]),
  ];
}

function parseOptions(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { environment: text, stage: text, activate: text, help: { type: "boolean" } },
    }).values;
  } catch (error) {
    // Node's hint about positional arguments is of no use here.
    const [problem = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new InvalidInput(`${problem}; see --help`);
  }
}

const given = (...candidates: readonly (string | undefined)[]) =>
  candidates.find((text) => text !== undefined && text !== "");

function readStage(text: string): { color: Color; image: string } {
  const [, color = "", image = ""] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (image === "")
    throw new InvalidInput(`stage must be <color>=<image>, such as green=registry/app@sha256:…, not '${text}'`);
  return { color: readColor("stage", color), image };
}

function readColor(input: string, text: string): Color {
  const color = COLORS.find((known) => known === text);
  if (color === undefined) throw new InvalidInput(`${input} must name a color, ${COLORS.join(" or ")}, not '${text}'`);
  return color;
}

const readKubeconfig = (variable = "") => {
  const files = variable.split(delimiter).filter((file) => file !== "");
  return files.length > 0 ? files : [join(homedir(), ".kube", "config")];
};
