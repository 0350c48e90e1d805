import { ConfigMapV1 } from "@cdktf/provider-kubernetes/lib/config-map-v1/index.js";
import type { Construct } from "constructs";
import { AppNamespace } from "../constructs/app-namespace.ts";
import { Claim } from "../constructs/claim.ts";
import { NetworkPolicies } from "../constructs/network-policies.ts";
import { objectMetadata } from "../constructs/object-metadata.ts";
import { podSettings } from "../constructs/pod-settings.ts";
import {
  REDIS_URL,
  REQUEST_STATE_KEY,
  RevisionedSecret,
  type RevisionedSecretProps,
} from "../constructs/revisioned-secret.ts";
import { WANTED_SETTINGS_KEY } from "../environment/names.ts";
import { egress } from "./egress.ts";
import { EnvironmentStack, type EnvironmentStackProps } from "./environment-stack.ts";
import { podProps } from "./pods.ts";
import { requestStateRevisions } from "./request-state-revisions.ts";
import { watchedPorts } from "./watched-ports.ts";

/** What both colors stand on, and no release changes. */
export class PlatformStack extends EnvironmentStack {
  readonly namespace: AppNamespace;
  readonly network: NetworkPolicies;

  /** @default - the server has no such key */
  readonly requestStateKey: RevisionedSecret | undefined;

  /** @default - the environment has no Redis */
  readonly redisUrl: RevisionedSecret | undefined;

  /** Claims that the environment makes, by the names of their objects. */
  readonly claims: ReadonlyMap<string, Claim>;

  readonly wantedSettings: ConfigMapV1;

  constructor(scope: Construct, props: EnvironmentStackProps) {
    super(scope, "platform", props);
    const { environment, names } = this;
    const { app, network, pod, server, volumes } = environment;
    this.namespace = new AppNamespace(this, "namespace", {
      names,
      name: environment.namespace,
      environment: environment.name,
      create: environment.createNamespace,
      existingAccount: pod.serviceAccount.existing,
      accountAnnotations: pod.serviceAccount.annotations,
    });
    const { namespace } = this.namespace;

    this.network = new NetworkPolicies(this, "network", {
      names,
      namespace,
      mcpPort: server.port,
      watchedPorts: watchedPorts(environment),
      sharesNamespace: !environment.createNamespace,
      clients: network.clients,
      monitoringNamespace: network.monitoringNamespace,
      egress: egress(environment),
    });
    const revisions = requestStateRevisions(environment);
    if (revisions.length > 0) {
      this.requestStateKey = this.#secret("request-state", {
        names,
        namespace,
        ...REQUEST_STATE_KEY,
        nameOf: names.requestStateSecret,
        revisions,
      });
    }
    if (app.redis !== undefined) {
      this.redisUrl = this.#secret("redis-url", {
        names,
        namespace,
        ...REDIS_URL,
        nameOf: names.redisUrlSecret,
        revisions: app.redis.urlRevisions,
      });
    }

    const claims = new Map<string, Claim>();
    this.claims = claims;
    for (const [volume, props] of Object.entries(volumes)) {
      if (props.type !== "claim") continue;
      for (const revision of props.revisions) {
        const name = names.claim(volume, revision);
        claims.set(name, new Claim(this, `volume-${volume}-r${revision}`, { ...props, names, namespace, name }));
      }
    }

    // No pod reads this. It is what `release status` compares the pods with.
    this.wantedSettings = new ConfigMapV1(this, "wanted-settings", {
      metadata: objectMetadata(names, { name: names.wantedSettings, namespace }),
      data: { [WANTED_SETTINGS_KEY]: podSettings(names, podProps(environment, names)) },
    });
  }

  /** One app has the stack to itself, so its variables have short names: `TF_VAR_request_state_key`. */
  #secret(id: string, props: RevisionedSecretProps): RevisionedSecret {
    const secret = new RevisionedSecret(this, id, props);
    secret.input.overrideLogicalId(props.variable.toLowerCase());
    return secret;
  }
}
