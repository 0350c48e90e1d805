import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1/index.js";
import type { Construct } from "constructs";
import { AppNamespace } from "../constructs/app-namespace.ts";
import { objectMetadata } from "../constructs/object-metadata.ts";
import { NetworkPolicies } from "../constructs/network-policies.ts";
import { flatten } from "../constructs/pod-settings.ts";
import { REDIS_URL, REQUEST_STATE_KEY, RevisionedSecret } from "../constructs/revisioned-secret.ts";
import { redisUrlSecret, requestStateSecret, WANTED_SETTINGS } from "../environment/names.ts";
import { egress } from "./egress.ts";
import { EnvironmentStack, type EnvironmentStackProps } from "./environment-stack.ts";
import { podSettings } from "./pod-settings.ts";

/** What both colors stand on, and no release changes. */
export class PlatformStack extends EnvironmentStack {
  constructor(scope: Construct, props: EnvironmentStackProps) {
    super(scope, "platform", props);
    const { environment } = this;
    const { namespace } = new AppNamespace(this, "namespace", { name: environment.namespace });

    const { redis, requestStateKeyRevisions } = environment.app;

    new NetworkPolicies(this, "network", { namespace, egress: egress(environment) });
    new RevisionedSecret(this, "request-state", {
      namespace,
      ...REQUEST_STATE_KEY,
      nameOf: requestStateSecret,
      revisions: requestStateKeyRevisions,
    });
    if (redis !== undefined) {
      new RevisionedSecret(this, "redis-url", {
        namespace,
        ...REDIS_URL,
        nameOf: redisUrlSecret,
        revisions: redis.urlRevisions,
      });
    }

    // No pod reads this. It is what `release status` compares the pods with.
    new ConfigMapV1(this, "wanted-settings", {
      metadata: objectMetadata({ name: WANTED_SETTINGS, namespace }),
      data: flatten(podSettings(environment)),
    });
  }
}
