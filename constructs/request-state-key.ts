import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1/index.js";
import { TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { requestStateSecret } from "../environments/names.ts";

/** The app's environment variable, and the key within the Secret. */
export const REQUEST_STATE_KEY = "REQUEST_STATE_KEY";

/** Set as `TF_VAR_request_state_key`. */
export const REQUEST_STATE_VARIABLE = "request_state_key";

const LEAST_CHARACTERS = 32;

export interface RequestStateKeysProps {
  readonly namespace: string;

  /** Revisions that exist. One stays until no color names it: a Secret that is gone leaves the next pod unable to start. */
  readonly revisions: readonly number[];
}

/**
 * The key that all pods sign clients' state with: a Secret for each revision, whose value Terraform passes on and keeps nowhere.
 *
 * The value is sent when a Secret is created and never again, so that only the deploy that creates one needs it. One that lacks it
 * fails: the value's name in the Secret is then the message, which the API refuses as a name.
 */
export class RequestStateKeys extends Construct {
  constructor(scope: Construct, id: string, { namespace, revisions }: RequestStateKeysProps) {
    super(scope, id);
    const key = new TerraformVariable(this, "key", {
      type: "string",
      description:
        "Signs the state that clients carry between the rounds of a call. Needed by the deploy that creates its Secret.",
      sensitive: true,
      nullable: true,
    });
    key.overrideLogicalId(REQUEST_STATE_VARIABLE);
    key.addOverride("default", null);
    key.addOverride("ephemeral", true);
    const variable = `var.${REQUEST_STATE_VARIABLE}`;
    key.addValidation({
      condition: `\${${variable} == null || length(coalesce(${variable}, " ")) >= ${LEAST_CHARACTERS}}`,
      errorMessage: `The request-state key must have at least ${LEAST_CHARACTERS} characters: openssl rand -base64 32`,
    });

    for (const revision of revisions) {
      const missing = `set TF_VAR_${REQUEST_STATE_VARIABLE} to at least ${LEAST_CHARACTERS} random characters for the deploy that creates revision ${revision} of it`;
      const secret = new SecretV1(this, `r${revision}`, {
        metadata: { name: requestStateSecret(revision), namespace },
        type: "Opaque",
        dataWoRevision: revision,
      });
      secret.addOverride(
        "data_wo",
        `\${{ (${variable} == null ? "${missing}" : "${REQUEST_STATE_KEY}") = ${variable} == null ? "" : ${variable} }}`,
      );
    }
  }
}
