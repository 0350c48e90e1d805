import { DataKubernetesNamespaceV1 } from "@cdktf/provider-kubernetes/lib/data-kubernetes-namespace-v1/index.js";
import { NamespaceV1 } from "@cdktf/provider-kubernetes/lib/namespace-v1/index.js";
import { ServiceAccountV1 } from "@cdktf/provider-kubernetes/lib/service-account-v1/index.js";
import { Construct } from "constructs";
import { ENVIRONMENT_LABEL, type Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface AppNamespaceProps {
  readonly names: Names;
  readonly name: string;

  /** The name of the environment. A namespace that another environment has made is refused. */
  readonly environment: string;

  /** Whether the namespace is made. Otherwise it exists, and may have other programs in it. @default true */
  readonly create?: boolean;

  /** A service account that others make. @default - one is made */
  readonly existingAccount?: string | undefined;

  /** Annotations of the service account. @default - ours alone */
  readonly accountAnnotations?: Readonly<Record<string, string>>;
}

/** A namespace that admits only pods without privileges, and the identity of the app in it, which may do nothing. */
export class AppNamespace extends Construct {
  /** The namespace's name; what is given this instead of a text is created after the namespace. */
  readonly namespace: string;

  /** @default - the namespace exists */
  readonly made: NamespaceV1 | undefined;

  /** @default - others make the service account */
  readonly account: ServiceAccountV1 | undefined;

  constructor(scope: Construct, id: string, props: AppNamespaceProps) {
    super(scope, id);
    this.made = props.create === false ? undefined : this.#make(props);
    this.namespace = this.made?.metadata.name ?? this.#existing(props);

    if (props.existingAccount !== undefined) return;
    this.account = new ServiceAccountV1(this, "account", {
      metadata: objectMetadata(props.names, {
        name: props.names.serviceAccount,
        namespace: this.namespace,
        annotations: props.accountAnnotations ?? {},
      }),
      automountServiceAccountToken: false,
      // Others add these, such as OpenShift and operators of registries. Pull secrets of ours belong in the pod template.
      lifecycle: { ignoreChanges: ["image_pull_secret", "secret"] },
    });
  }

  #make({ names, name, environment }: AppNamespaceProps): NamespaceV1 {
    const labels = { ...RESTRICTED, [ENVIRONMENT_LABEL]: environment };
    return new NamespaceV1(this, "namespace", { metadata: objectMetadata(names, { name, labels }) });
  }

  /** Read in every plan, before the objects in it. Without a label it belongs to people, who may give it to any environment. */
  #existing({ name, environment }: AppNamespaceProps): string {
    const owner = `try(self.metadata[0].labels["${ENVIRONMENT_LABEL}"], "${environment}")`;
    const namespace = new DataKubernetesNamespaceV1(this, "existing", {
      metadata: { name },
      lifecycle: {
        postcondition: [
          {
            condition: '${self.metadata[0].uid != ""}',
            errorMessage: `there is no namespace '${name}': create it, or set createNamespace to true`,
          },
          {
            condition: `\${${owner} == "${environment}"}`,
            errorMessage: `namespace '${name}' belongs to the environment '\${${owner}}', not to '${environment}': use another namespace`,
          },
        ],
      },
    });
    return namespace.metadata.name;
  }
}

/** @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const RESTRICTED = Object.fromEntries(
  ["enforce", "audit", "warn"].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, "restricted"],
    [`pod-security.kubernetes.io/${mode}-version`, "latest"],
  ]),
) as Readonly<Record<string, string>>;
