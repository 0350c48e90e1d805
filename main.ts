import { App } from "cdktf";
import { checkContext } from "./environment/access.ts";
import { InvalidEnvironment } from "./environment/environment.ts";
import { notes } from "./environment/notes.ts";
import { loadEnvironment, UnknownEnvironment } from "./environment/load.ts";
import { userFolder } from "./environment/user-folder.ts";
import { BlueGreenApp } from "./stacks/blue-green-app.ts";
import { describeInputs, HELP, InvalidInput, readInputs, type Inputs } from "./stacks/inputs.ts";
import { InvalidKubeconfig } from "./kubeconfig/invalid-kubeconfig.ts";
import { terraformCluster } from "./kubeconfig/terraform.ts";

try {
  const inputs = readInputs(process.argv.slice(2), process.env);
  if (inputs === "help") process.stdout.write(HELP);
  else await synthesize(inputs);
} catch (error) {
  const mistaken = [InvalidInput, InvalidEnvironment, UnknownEnvironment, InvalidKubeconfig].some(
    (kind) => error instanceof kind,
  );
  if (!mistaken || !(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function synthesize(inputs: Inputs): Promise<void> {
  const environment = await loadEnvironment(inputs.environment, userFolder(process.env), inputs.context);
  const cluster = terraformCluster({ variables: process.env, folder: userFolder(process.env) }, environment.context);
  checkContext(environment, cluster.kind === "context" ? cluster.context : undefined);
  const app = new App();
  new BlueGreenApp(app, environment, {
    change: inputs,
    // Without a file the context is that of the environment, for the one who applies the plan where there is one.
    cluster: { files: [], context: environment.context, ...cluster },
  });
  for (const line of describeInputs(inputs, cluster)) process.stderr.write(`${line}\n`);
  for (const note of notes(environment)) process.stderr.write(`note: ${note}\n`);
  app.synth();
}
