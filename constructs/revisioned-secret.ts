import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1/index.js";
import { Lazy, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

/** A value that Terraform hands over to the cluster and keeps nowhere. */
export interface SecretValue {
  /** The key within the Secret. */
  readonly variable: string;

  /** What it is for: Terraform shows this when it asks. */
  readonly description: string;

  /** Completes "must be …" and "set it to …". */
  readonly kind: string;

  /** A Terraform expression that is true for a value that is of that kind. */
  readonly holds: (value: string) => string;
}

/** Signs what clients carry between the rounds of a call: the same for all pods, any of which may get the next round. */
export const REQUEST_STATE_KEY: SecretValue = {
  variable: "REQUEST_STATE_KEY",
  description: "Signs the state that clients carry between the rounds of a call.",
  kind: "at least 32 random characters",
  holds: (value) => `length(${value}) >= 32`,
};

/** Where pods share what they know, with user and password. */
export const REDIS_URL: SecretValue = {
  variable: "REDIS_URL",
  description: "Where pods share what they know, with user and password.",
  kind: "a URL such as rediss://user:password@host:6379",
  holds: (value) => `can(regex("^rediss?://", ${value}))`,
};

export interface RevisionedSecretProps extends SecretValue {
  readonly names: Names;
  readonly namespace: string;

  /** The name of the Secret with one revision. */
  readonly nameOf: (revision: number) => string;

  /** Revisions that exist. One stays until no color names it: a Secret that is gone leaves the next pod without its value. */
  readonly revisions: readonly number[];
}

/**
 * A secret that pods of both colors read: a Secret for each revision, whose value Terraform passes on and keeps nowhere.
 *
 * The value is sent when a Secret is created and never again, so that only the deploy that creates one needs it. One that lacks it
 * fails: the value's name in the Secret is then the message, which the API refuses as a name.
 */
export class RevisionedSecret extends Construct {
  /** Its logical id, which a stack may override, names the variable `TF_VAR_<id>`. */
  readonly input: TerraformVariable;

  /** By their revisions. */
  readonly secrets: ReadonlyMap<number, SecretV1>;

  constructor(scope: Construct, id: string, props: RevisionedSecretProps) {
    super(scope, id);
    const { names, namespace, variable, description, kind, holds, nameOf, revisions } = props;
    const input = new TerraformVariable(this, "key", {
      type: "string",
      description: `${description} Needed by the deploy that creates its Secret.`,
      sensitive: true,
      nullable: true,
    });
    this.input = input;
    // The logical id is final only in the synth, since a stack may override it.
    const lazily = (text: (value: string, name: string) => string) =>
      Lazy.stringValue({ produce: () => text(`var.${input.friendlyUniqueId}`, `TF_VAR_${input.friendlyUniqueId}`) });
    input.addOverride("default", null);
    input.addOverride("ephemeral", true);
    input.addValidation({
      condition: lazily((value) => `\${${value} == null || ${holds(`coalesce(${value}, " ")`)}}`),
      errorMessage: lazily((_, name) => `${name} must be ${kind}.`),
    });

    const secrets = new Map<number, SecretV1>();
    this.secrets = secrets;
    for (const revision of revisions) {
      const secret = new SecretV1(this, `r${revision}`, {
        metadata: objectMetadata(names, { name: nameOf(revision), namespace }),
        type: "Opaque",
        dataWoRevision: revision,
      });
      const data = lazily((value, name) => {
        const missing = `set ${name} to ${kind} for the deploy that creates revision ${revision} of it`;
        return `\${{ (${value} == null ? "${missing}" : "${variable}") = ${value} == null ? "" : ${value} }}`;
      });
      secret.addOverride("data_wo", data);
      secrets.set(revision, secret);
    }
  }
}
