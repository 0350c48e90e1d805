import { delimiter } from "node:path";
import type { ReleaseStage } from "../constructs/stage-marker.ts";
import { COLORS, type Color } from "../environment/color.ts";
import type { Environment } from "../environment/environment.ts";
import { imageProblem } from "../environment/image.ts";
import type { TerraformCluster } from "../kubeconfig/terraform.ts";

/** Everything a synth depends on besides the environment file. */
export interface Inputs extends Change {
  /** An environment's name, or the path of its file. */
  readonly environment: string;

  /** The kubeconfig context to deploy to, for an environment that names none. @default - the current one */
  readonly context?: string;
}

/** The changes of one synth besides bringing objects up to date. */
export interface Change {
  /** The app that they are for, by the name that its stacks begin with. @default - the only one */
  readonly app?: string;

  /** @default - pods stay as they are */
  readonly stage?: Stage;

  /** @default - traffic stays where it is */
  readonly activate?: Color;
}

export interface Stage {
  readonly color: Color;
  readonly image: string;
  /** @default - an operator stages */
  readonly release?: ReleaseStage;
}

/** Inputs that make no sense. The message says what would. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the inputs from variables, which 'mcp-bluegreen synth', a release and a user of cdktf set alike. An empty one counts
 * as absent, since scripts write those.
 *
 * @throws InvalidInput
 */
export function readInputs(variables: Variables): Inputs {
  const environment = given(variables.ENVIRONMENT) ?? "local";
  const stage = given(variables.STAGE);
  const activate = given(variables.ACTIVATE);
  const release = readRelease(given(variables.STAGE_MARK), given(variables.STAGE_EPOCH));
  if (release !== undefined && stage === undefined) {
    throw new InvalidInput("stage-mark and stage-epoch belong to a stage: name its color and image with STAGE");
  }
  const context = given(variables.KUBE_CONTEXT);
  const app = given(variables.BLUEGREEN_APP);
  const inputs = {
    environment,
    ...(context === undefined ? {} : { context }),
    ...(app === undefined ? {} : { app }),
    ...(stage === undefined ? {} : { stage: { ...readStage(stage), ...(release && { release }) } }),
    ...(activate === undefined ? {} : { activate: readColor("activate", activate) }),
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
export function checkStagedImage({ stage }: Change, { app }: Environment): void {
  const problem = stage === undefined ? undefined : imageProblem(stage.image, app.imagePolicy);
  if (problem !== undefined) throw new InvalidInput(`stage: ${problem}`);
}

/** A line for each input that was given, to be shown: whoever deploys sees what it does besides bringing things up to date. */
export function describeInputs({ environment, ...change }: Inputs, cluster: TerraformCluster): string[] {
  return [`environment: ${environment}`, describeCluster(cluster), ...describeChange(change)];
}

/** A line for each change. */
export function describeChange({ stage, activate }: Change): string[] {
  return [
    ...(stage === undefined ? [] : [`stage: ${stage.image} on ${stage.color}, ${describeStager(stage)}`]),
    ...(activate === undefined ? [] : [`activate: ${activate}`]),
  ];
}

function describeCluster(cluster: TerraformCluster): string {
  switch (cluster.kind) {
    case "context":
      return `cluster: context '${cluster.context}' of ${cluster.files.join(delimiter)}`;
    case "own":
      return "cluster: the one that this pod runs in";
    case "none":
      return `cluster: none yet; ${cluster.files.join(delimiter)} does not exist`;
  }
}

const describeStager = ({ release }: Stage) =>
  release === undefined
    ? "by an operator: without a mark and without a fence"
    : `mark ${release.mark}, epoch ${release.epoch}`;

const given = (text: string | undefined) => (text === "" ? undefined : text);

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

/** The marks of releases are UUIDs; this keeps any other out of annotations and conditions. */
const MARK = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;

function readRelease(mark: string | undefined, epoch: string | undefined): ReleaseStage | undefined {
  if (mark === undefined && epoch === undefined) return undefined;
  if (mark === undefined || epoch === undefined) {
    throw new InvalidInput("stage-mark and stage-epoch must be given together; an operator who stages gives neither");
  }
  if (!MARK.test(mark)) throw new InvalidInput(`stage-mark must be letters, digits and '-', at most 63, not '${mark}'`);
  if (!/^[1-9]\d{0,14}$/.test(epoch))
    throw new InvalidInput(`stage-epoch must be a whole number above 0, not '${epoch}'`);
  return { mark, epoch: Number(epoch) };
}
