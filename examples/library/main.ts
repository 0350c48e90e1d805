import { App, LocalBackend, TerraformOutput, TerraformStack } from "cdktf";
import { BlueGreenApp } from "mcp-bluegreen";
import production from "./environments/production.ts";

const app = new App();
// Stacks that the project has anyway.
const network = new TerraformStack(app, "network");
new LocalBackend(network);
new TerraformOutput(network, "region", { value: "eu-central-1" });

const { platform, green } = new BlueGreenApp(app, production);
platform.addDependency(network);
// A field that environments do not have, on a resource of the kit.
green.pods.deployment.addOverride("metadata.labels.team", "search");
app.synth();
