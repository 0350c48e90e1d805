import { DeploymentV1 } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider/index.js";
import { ServiceV1 } from "@cdktf/provider-kubernetes/lib/service-v1/index.js";
import { LocalBackend, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import type { Environment } from "mcp-bluegreen";

const NAME = "notes-database";
const LABELS = { "app.kubernetes.io/name": NAME };
const IMAGE = "docker.io/valkey/valkey:8.1-alpine";

/** The database of the notes, in a state of its own: no release of the server plans or changes it. */
export class DatabaseStack extends TerraformStack {
  constructor(scope: Construct, id: string, { namespace, context }: Environment) {
    super(scope, id);
    new LocalBackend(this);
    new KubernetesProvider(this, "kubernetes", { configPath: "~/.kube/config", configContext: context });
    new DeploymentV1(this, "database", {
      metadata: { name: NAME, namespace, labels: LABELS },
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            container: [
              {
                name: "valkey",
                image: IMAGE,
                // Kubernetes replaces $(PASSWORD): the value stands in the Secret alone.
                args: ["--requirepass", "$(PASSWORD)"],
                env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: NAME, key: "password" } } }],
                port: [{ containerPort: 6379 }],
                securityContext: {
                  runAsNonRoot: true,
                  runAsUser: "999",
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ["ALL"] },
                  seccompProfile: { type: "RuntimeDefault" },
                },
              },
            ],
          },
        },
      },
    });
    new ServiceV1(this, "service", {
      metadata: { name: NAME, namespace, labels: LABELS },
      spec: { selector: LABELS, port: [{ port: 6379 }] },
    });
  }
}
