import { Testing, TerraformStack } from "cdktf";
import { environment, type Environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import { BlueGreenApp } from "../../stacks/blue-green-app.ts";
import type { Change } from "../../stacks/inputs.ts";

/** A resource as Terraform gets it. */
export interface Resource {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly lifecycle?: {
    readonly ignore_changes?: readonly string[];
    readonly precondition?: readonly { readonly condition: string; readonly error_message: string }[];
  };
  readonly [argument: string]: unknown;
}

/** Resources, or data sources, by type and then by id. */
export type Blocks = Readonly<Record<string, Readonly<Record<string, Resource>>>>;

export interface Stack {
  readonly resource: Blocks;
  readonly data?: Blocks;
  readonly provider: { readonly kubernetes: readonly Readonly<Record<string, unknown>>[] };
  readonly variable?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly terraform: {
    readonly backend: Readonly<Record<string, unknown>>;
    readonly required_providers: unknown;
  };
}

export const KUBECONFIG = "/home/someone/.kube/config";

/** The real stacks of an environment, as Terraform gets them, by their part: platform, blue, green, traffic. */
export function synthesize(of: Environment = local, change: Change = {}): Record<string, Stack> {
  const app = Testing.app();
  new BlueGreenApp(app, of, { change, cluster: { files: [KUBECONFIG], context: of.context } });
  const stacks = app.node.children.filter((child) => child instanceof TerraformStack);
  return Object.fromEntries(
    stacks.map((stack) => [stack.node.id.replace(`${of.name}-`, ""), JSON.parse(Testing.synth(stack)) as Stack]),
  );
}

/** One of the stacks; the test fails if there is none. */
export function stackOf(stacks: Record<string, Stack>, part: string): Stack {
  const stack = stacks[part];
  if (stack === undefined) throw new Error(`no stack '${part}' among ${Object.keys(stacks).join(", ")}`);
  return stack;
}

/** The resource with that name in the cluster; the test fails if there is none. */
export function resourceOf(stack: Stack, type: string, name?: string): Resource {
  const found = Object.values(stack.resource[type] ?? {}).filter(
    (it) => name === undefined || it.metadata.name === name,
  );
  const [resource] = found;
  if (resource === undefined || found.length > 1) throw new Error(`${found.length} of ${type} '${name ?? ""}'`);
  return resource;
}

/** Every resource in the cluster of every stack, with its type. */
export function allResources(stacks: Record<string, Stack>): { type: string; resource: Resource }[] {
  return Object.values(stacks).flatMap((stack) =>
    Object.entries(stack.resource)
      .filter(([type]) => type !== "terraform_data")
      .flatMap(([type, resources]) => Object.values(resources).map((resource) => ({ type, resource }))),
  );
}

/** Environment `local` with some of its app changed. */
export function localWith(app: Partial<Environment["app"]>): Environment {
  const settings = { AUTH_MODE: "off", ...(app.settings ?? local.app.settings) };
  return environment({ ...local, app: { ...local.app, ...app, settings } });
}
