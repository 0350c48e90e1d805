import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider/index.js";
import { LocalBackend, S3Backend, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { Environment } from "../environment/environment.ts";
import { APP_LABEL, MANAGED_ANNOTATION, namesOf, stackName, type Names } from "../environment/names.ts";
import { everyKeyBut } from "./every-key-but.ts";
import { literal } from "./literal.ts";

/** The cluster and the identity that the provider uses: kubectl's. */
export interface ProviderCluster {
  /** Kubeconfig files that exist, by absolute paths. In a pod without one: none, and the provider uses its service account. */
  readonly files: readonly string[];

  /** @default - the current context of the files */
  readonly context?: string | undefined;
}

/** What every stack is made from: where it goes, and how Terraform reaches it. */
export interface EnvironmentStackProps {
  readonly environment: Environment;
  readonly cluster: ProviderCluster;
}

/** The part of an environment that goes into stacks, with its texts escaped. */
export type StackEnvironment = Omit<Environment, "release">;

const PROVIDER_SOURCE = "registry.terraform.io/hashicorp/kubernetes";
const PROVIDER_VERSION = "2.38.0";

/** Write-only arguments, which keep secrets out of the state, came with this one. */
const TERRAFORM_VERSION = ">= 1.11";

/** One Terraform state: a part of an environment that can be planned and deployed by itself. */
export abstract class EnvironmentStack extends TerraformStack {
  protected readonly environment: StackEnvironment;
  protected readonly names: Names;

  constructor(scope: Construct, part: string, { environment, cluster }: EnvironmentStackProps) {
    const id = stackName(environment, part);
    super(scope, id);
    // A release's settings are not Terraform's, and a Zod schema among them is no plain value.
    this.environment = literal({ ...environment, release: undefined });
    this.names = namesOf(environment.app.name);

    new KubernetesProvider(this, "kubernetes", {
      ...providerCluster(literal(cluster)),
      // A deploy owns the keys that the configuration names. Ours are visible also before the configuration named them,
      // so that an existing object can get its first one without losing the others; see docs/deploy.md.
      ignoreAnnotations: [everyKeyBut(MANAGED_ANNOTATION)],
      ignoreLabels: [everyKeyBut(APP_LABEL)],
    });
    this.addOverride("terraform.required_providers.kubernetes", { source: PROVIDER_SOURCE, version: PROVIDER_VERSION });
    this.addOverride("terraform.required_version", TERRAFORM_VERSION);
    this.#keepStateIn(environment, id);
  }

  #keepStateIn({ name, state }: Environment, id: string): void {
    if (state.backend === "local") {
      new LocalBackend(this);
      return;
    }
    const { bucket, region } = state;
    const backend = new S3Backend(this, { bucket, region, key: `${name}/${id}.tfstate`, encrypt: true });
    backend.addOverride("use_lockfile", true);
  }
}

/** Any path keeps the provider from the service account of its pod. */
function providerCluster({ files, context }: ProviderCluster) {
  const [file] = files;
  if (file === undefined) return {};
  return { ...(files.length === 1 ? { configPath: file } : { configPaths: [...files] }), configContext: context };
}
