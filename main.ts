import { App } from "cdktf";
import { InvalidEnvironment } from "./environments/environment.ts";
import { loadEnvironment, UnknownEnvironment } from "./environments/load.ts";
import { checkStagedImage, describeInputs, HELP, InvalidInput, readInputs, type Inputs } from "./inputs.ts";
import { addStacks } from "./stacks/environment-stacks.ts";

try {
  const inputs = readInputs(process.argv.slice(2), process.env);
  if (inputs === "help") process.stdout.write(HELP);
  else await synthesize(inputs);
} catch (error) {
  const mistaken = [InvalidInput, InvalidEnvironment, UnknownEnvironment].some((kind) => error instanceof kind);
  if (!mistaken || !(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function synthesize(inputs: Inputs): Promise<void> {
  const { stage, activate, kubeconfig } = inputs;
  const environment = await loadEnvironment(inputs.environment);
  checkStagedImage(inputs, environment);
  for (const line of describeInputs(inputs)) process.stderr.write(`${line}\n`);
  const app = new App();
  addStacks(app, {
    environment,
    cluster: { files: kubeconfig, context: environment.context },
    ...(stage && { stage }),
    ...(activate && { activate }),
  });
  app.synth();
}
