import { App, TerraformStack } from "cdktf";
import { COLORS, type Color } from "../environment/color.ts";
import { inContext } from "../environment/access.ts";
import type { Environment } from "../environment/environment.ts";
import { scopeName, stackName } from "../environment/names.ts";
import { AppsOf } from "./apps-of.ts";
import { findCluster, providerCluster } from "./cluster.ts";
import { ColorStack } from "./color-stack.ts";
import type { ProviderCluster } from "./environment-stack.ts";
import { checkStagedImage, describeChange, InvalidInput, readInputs, type Change } from "./inputs.ts";
import { PlatformStack } from "./platform-stack.ts";
import { TrafficStack } from "./traffic-stack.ts";

export interface BlueGreenAppProps {
  /**
   * The changes of this synth besides bringing objects up to date.
   *
   * @default - those of the variables STAGE, STAGE_MARK, STAGE_EPOCH, ACTIVATE and BLUEGREEN_APP,
   *   which a release sets
   */
  readonly change?: Change;

  /** @default - the cluster that kubectl would use, with the environment's context */
  readonly cluster?: ProviderCluster;
}

/**
 * A server in two colors: the four stacks of one environment, in the order in which they can be
 * deployed.
 *
 * Its stacks are named `<environment>-<app>-<part>`, or `<environment>-<part>` for an app without a
 * name of its own. They share no values, only names of objects: each is planned and deployed by
 * itself. An `App` may have several, and stacks of other kinds beside them.
 *
 * @example
 * const app = new App();
 * const shop = new BlueGreenApp(app, environment({ name: "production", namespace: "shop", … }));
 * shop.blue.pods.deployment.addOverride("spec.template.spec.host_network", true);
 * app.synth();
 */
export class BlueGreenApp {
  /** Unique in its App: its stacks begin with it, and BLUEGREEN_APP names it. */
  readonly name: string;
  readonly environment: Environment;

  /** Namespace, service account, network policies, secrets and claims. */
  readonly platform: PlatformStack;
  readonly blue: ColorStack;
  readonly green: ColorStack;

  /** The live and the preview Service, and the Ingress. */
  readonly traffic: TrafficStack;

  /**
   * @param scope the cdktf App itself: each part of the app is a stack, with a state of its own
   * @param environment made by `environment({ … })`
   * @throws InvalidInput if the scope, a name or a change cannot be used
   * @throws InvalidEnvironment if anyone may call the server and nobody named its cluster
   * @throws InvalidKubeconfig if Terraform would reach another cluster than kubectl
   */
  constructor(scope: App, environment: Environment, props: BlueGreenAppProps = {}) {
    this.name = scopeName(environment);
    this.environment = environment;
    checkScope(scope, this.name);
    const cluster = props.cluster ?? clusterOf(environment, this.name);
    const apps = AppsOf.in(scope);
    const change = apps.changeOf(this.name, props.change ?? readInputs(process.env));
    checkStagedImage(change, environment);
    if (props.change === undefined) printChange(this.name, change);

    const { stage, activate } = change;
    for (const part of ["platform", ...COLORS, "traffic"]) checkUnused(scope, stackName(environment, part));
    apps.add({ name: this.name, environment, cluster });
    this.platform = new PlatformStack(scope, { environment, cluster });
    apps.place(this.name, this.platform);
    const color = (color: Color) => {
      const stack = new ColorStack(scope, { environment, cluster, color, ...(stage?.color === color && { stage }) });
      stack.addDependency(this.platform);
      return stack;
    };
    this.blue = color("blue");
    this.green = color("green");
    this.traffic = new TrafficStack(scope, { environment, cluster, ...(activate && { activate }) });
    for (const stack of [this.platform, this.blue, this.green]) this.traffic.addDependency(stack);
    this.platform.node.addValidation({ validate: () => apps.problems(this.name) });
  }

  get stacks(): readonly TerraformStack[] {
    return [this.platform, this.blue, this.green, this.traffic];
  }
}

function checkScope(scope: unknown, name: string): void {
  if (App.isApp(scope)) return;
  const [what, why] =
    typeof scope === "object" && scope !== null && TerraformStack.isStack(scope)
      ? [
          `the stack '${scope.node.id}'`,
          "in one state with them, a release would also apply the stack's pending changes",
        ]
      : ["another construct", "cdktf deploys stacks by names of the App's own children"];
  throw new InvalidInput(`'${name}' needs the cdktf App itself as its scope, not ${what}: it makes stacks; ${why}`);
}

function checkUnused(scope: App, id: string): void {
  const isUsed = scope.node
    .findAll()
    .some((it) => it.node.id === id && (it.node.scope === scope || TerraformStack.isStack(it)));
  if (isUsed) {
    throw new InvalidInput(
      `this App has a stack '${id}' already: give the environment or its app (app.name) another name`,
    );
  }
}

/** KUBE_CONTEXT is that of the app that is meant; the others of an App keep their own. */
function clusterOf(environment: Environment, name: string): ProviderCluster {
  const { BLUEGREEN_APP: meant = "", KUBE_CONTEXT } = process.env;
  const isAnother = meant !== "" && meant !== name && environment.context !== undefined;
  const placed = isAnother ? environment : inContext(environment, KUBE_CONTEXT);
  return providerCluster(findCluster(placed), placed);
}

/** The output of a deploy names the changes besides bringing objects up to date. */
function printChange(name: string, change: Change): void {
  for (const line of describeChange(change)) process.stderr.write(`${name}: ${line}\n`);
}
