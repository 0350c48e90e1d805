import { App } from "cdktf";
import { InvalidEnvironment } from "../environment/environment.ts";
import { loadEnvironment, UnknownEnvironment } from "../environment/load.ts";
import { notes } from "../environment/notes.ts";
import { InvalidKubeconfig } from "../kubeconfig/invalid-kubeconfig.ts";
import { BlueGreenApp } from "./blue-green-app.ts";
import { findCluster, providerCluster } from "./cluster.ts";
import { describeInputs, InvalidInput, readInputs, type Inputs } from "./inputs.ts";

/**
 * The main program of a cdktf project: synthesizes one environment, named by variables, and prints the
 * inputs, the cluster and notes on the environment. A mistake of the user is one message and exit code 2.
 *
 * @param extend adds stacks of other kinds to the App. @default - none
 */
export async function synthesize(extend?: (app: App, blueGreen: BlueGreenApp) => void): Promise<void> {
  try {
    refuseArguments(process.argv.slice(2));
    await synthesizeInputs(readInputs(process.env), extend);
  } catch (error) {
    explainMistake(error);
  }
}

/** @throws InvalidInput if there are any: an option that is ignored would be an input that has no effect */
function refuseArguments([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new InvalidInput(
    `unexpected argument '${first}': this program reads the variables ENVIRONMENT, STAGE and ACTIVATE; ` +
      "'mcp-bluegreen synth' takes options and sets them",
  );
}

/**
 * Prints a mistake of the user as one message and sets exit code 2, which a release reports as a mistake, too.
 *
 * @throws any other error, unchanged
 */
export function explainMistake(error: unknown): void {
  const kinds = [InvalidInput, InvalidEnvironment, UnknownEnvironment, InvalidKubeconfig];
  if (!(error instanceof Error) || !kinds.some((kind) => error instanceof kind)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function synthesizeInputs(inputs: Inputs, extend?: (app: App, blueGreen: BlueGreenApp) => void): Promise<void> {
  const environment = await loadEnvironment(inputs.environment, undefined, inputs.context);
  const cluster = findCluster(environment);
  const app = new App();
  const blueGreen = new BlueGreenApp(app, environment, {
    change: inputs,
    cluster: providerCluster(cluster, environment),
  });
  for (const line of describeInputs(inputs, cluster)) process.stderr.write(`${line}\n`);
  for (const note of notes(environment)) process.stderr.write(`note: ${note}\n`);
  extend?.(app, blueGreen);
  app.synth();
}
