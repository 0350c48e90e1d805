import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider/index.js";
import { LocalBackend, S3Backend, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { Environment } from "../environments/environment.ts";

/** What every stack is made from: where it goes, and how Terraform reaches it. */
export interface EnvironmentStackProps {
  readonly environment: Environment;

  /** Files to read the cluster's address and credentials from, as in KUBECONFIG. */
  readonly kubeconfig: readonly string[];
}

const PROVIDER_SOURCE = "registry.terraform.io/hashicorp/kubernetes";
const PROVIDER_VERSION = "2.38.0";

/** Write-only arguments, which keep secrets out of the state, came with this one. */
const TERRAFORM_VERSION = ">= 1.11";

/** One Terraform state: a part of an environment that can be planned and deployed by itself. */
export abstract class EnvironmentStack extends TerraformStack {
  protected readonly environment: Environment;

  constructor(scope: Construct, part: string, { environment, kubeconfig }: EnvironmentStackProps) {
    const id = `${environment.name}-${part}`;
    super(scope, id);
    this.environment = environment;

    new KubernetesProvider(this, "kubernetes", {
      ...(kubeconfig.length === 1 ? { configPath: kubeconfig[0] } : { configPaths: [...kubeconfig] }),
      configContext: environment.context,
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
