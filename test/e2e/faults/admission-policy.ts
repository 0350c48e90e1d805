import assert from "node:assert/strict";
import local from "../on-node-port.ts";
import { LIVE_SERVICE } from "../../default-names.ts";
import { applied } from "../apply.ts";
import { liveColor } from "../cluster.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, releaseOf, QUICK, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

const WORDS = "the traffic is frozen until Monday";

const POLICY = [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "e2e-freeze" },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["services"] }],
      },
      // The fence may be written, the selector may not.
      validations: [
        {
          expression: `object.metadata.name != '${LIVE_SERVICE}' || object.spec.selector == oldObject.spec.selector`,
          message: WORDS,
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: "e2e-freeze" },
    spec: {
      policyName: "e2e-freeze",
      validationActions: ["Deny"],
      matchResources: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": local.namespace } },
      },
    },
  },
];

export const admissionPolicy: Step = {
  name: "an admission policy that denies the switch pauses the release with its message, and 'run' goes on without it",
  async run() {
    const before = await liveColor();
    const load = await underLoad(async () => {
      {
        await using policy = await applied(POLICY);
        await policy.inForce(
          ["patch", "service", LIVE_SERVICE, "--type=merge", "--patch", '{"spec":{"selector":{"e2e":"probe"}}}'],
          WORDS,
        );
        const { code, result, reason } = await startRelease("run", { args: CANDIDATE }).ended;
        assert.deepEqual({ code, result }, { code: 4, result: "paused-old-live" }, reason);
        assert.ok(reason.includes(WORDS), reason);
        assert.equal(await liveColor(), before);
      }
      await releaseOf(QUICK, "run");
    });
    assert.notEqual(await liveColor(), before);
    return inWords(load);
  },
};
