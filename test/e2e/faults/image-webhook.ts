import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import local from "../on-node-port.ts";
import { newAuthority } from "../../app/certificates.ts";
import { applied } from "../apply.ts";
import { liveColor } from "../cluster.ts";
import { imageOf, loadAs } from "../images.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, QUICK, releaseOf, startRelease, status } from "../release.ts";
import type { Step } from "../step.ts";

/** The same images under other names. */
const mirrored = (image: string) => image.replace("localhost/", "localhost/mirror/");

/** The API server must be on this machine: it calls the webhook on 127.0.0.1. */
export const imageWebhook: Step = {
  name: "a webhook that rewrites the images of Deployments and pods does not disturb a release, nor its rollback",
  needs: ["E2E_STOP_API"],
  async run() {
    await loadAs("1.1.0", mirrored(imageOf("1.1.0")));
    const before = await liveColor();
    await using webhook = await startWebhook();
    await using configuration = await applied([configurationOf(webhook)]);
    await configuration.inForce(
      [
        ...["create", "deployment", "probe", `--image=${imageOf("1.1.0")}`],
        "--output=jsonpath={.spec.template.spec.containers[*].image}",
      ],
      mirrored(imageOf("1.1.0")),
    );
    const load = await underLoad(async () => {
      const { code, result, reason } = await startRelease("run", { args: CANDIDATE }).ended;
      assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
      const { colors, live } = await status(QUICK);
      assert.equal(colors.find(({ color }) => color === live)?.image, mirrored(imageOf("1.1.0")));
      await releaseOf(QUICK, "rollback");
    });
    assert.equal(await liveColor(), before);
    return inWords(load);
  },
};

interface Webhook extends AsyncDisposable {
  readonly port: number;
  readonly authority: string;
}

async function startWebhook(): Promise<Webhook> {
  const authority = newAuthority("e2e");
  const { chain, key } = authority.issue({ names: ["localhost"] });
  const server = createServer({ cert: chain, key }, (request, response) => {
    void text(request).then((body) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer(JSON.parse(body) as Review)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    authority: authority.pem,
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Containers {
  readonly containers: readonly { readonly image: string }[];
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly spec: Containers & { readonly template?: { readonly spec: Containers } } };
  };
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response */
function answer({ request: { uid, object } }: Review) {
  const { template } = object.spec;
  const at = template === undefined ? "/spec" : "/spec/template/spec";
  const { containers } = template?.spec ?? object.spec;
  const patch = containers.flatMap(({ image }, index) =>
    image === imageOf("1.1.0")
      ? [{ op: "replace", path: `${at}/containers/${index}/image`, value: mirrored(image) }]
      : [],
  );
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: true,
      patchType: "JSONPatch",
      patch: Buffer.from(JSON.stringify(patch)).toString("base64"),
    },
  };
}

const configurationOf = ({ port, authority }: Webhook) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: "e2e-mirror" },
  webhooks: [
    {
      name: "mirror.e2e.test",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: { url: `https://localhost:${port}/`, caBundle: Buffer.from(authority).toString("base64") },
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": local.namespace } },
      rules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
        { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["deployments"] },
      ],
    },
  ],
});
