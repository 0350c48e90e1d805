import { describe, expect, it } from "@jest/globals";
import { StateChanged, TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import local from "../../../environments/local.ts";
import { failureOf, GuardFailed } from "../../../release/targets/kubernetes/staging/failure.ts";
import { resourceOf, stackOf, synthesize } from "../../stacks/synthesized.ts";

const API = '╷\n│ Error: Failed to update deployment: deployments.apps "mcp-app-green" is forbidden: ';

describe("Terraform's output of a failed command", () => {
  it("with a stale plan says that the state has changed", () => {
    expect(failureOf("terraform apply", { output: "╷\n│ Error: Saved plan is stale\n│\n╵", env: {} })).toBeInstanceOf(
      StateChanged,
    );
  });

  it.each([
    ["quota", `${API}exceeded quota: pods`],
    ["policy", `${API}ValidatingAdmissionPolicy 'x' denied request: no`],
    ["forbidden", `${API}User "ci" cannot patch resource "deployments"`],
    ["invalid", "│ Error: Unsupported argument"],
  ])("is a refusal of the kind %s", (kind, output) => {
    const error = failureOf("terraform apply", { output, env: {} });
    expect(error).toBeInstanceOf(TargetRefused);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(/^'terraform apply' failed: Error: [^│]+$/) });
  });

  it.each([
    "Get https://127.0.0.1:6443: dial tcp 127.0.0.1:6443: connect: connection refused",
    'Patch "https://10.0.0.1:6443/apis/apps/v1": dial tcp 10.0.0.1:6443: connect: no route to host',
    'Patch "https://10.0.0.1:6443/apis/apps/v1": http2: client connection lost',
    "etcdserver: leader changed",
    "could not connect to registry.terraform.io: dial tcp: lookup registry.terraform.io on 10.0.0.10:53: server misbehaving",
    'Internal error occurred: failed calling webhook "x.example": failed to call webhook: Post: context canceled',
    'Operation cannot be fulfilled on deployments.apps "mcp-app-green": the object has been modified; please apply your changes',
    'Get "https://10.0.0.1:6443/api": read tcp 10.0.0.2:1->10.0.0.1:6443: i/o timeout',
    'Get "https://10.0.0.1:6443/api": net/http: TLS handshake timeout',
    'Get "https://10.0.0.1:6443/api": EOF',
    'Get "https://10.0.0.1:6443/api": unexpected EOF',
    "Get https://registry.terraform.io/: 503 Service Unavailable",
  ])("with '%s' says that the target cannot be reached", (problem) => {
    const output = `╷\n│ Error: ${problem}\n╵`;

    expect(failureOf("terraform plan", { output, env: {} })).toBeInstanceOf(TargetUnreachable);
  });

  it("is a refusal of a policy also if that speaks of an outage", () => {
    const output = 'Error: admission webhook "x.example" denied the request: the scanner says: connection refused';

    expect(failureOf("terraform apply", { output, env: {} })).toMatchObject({ name: "TargetRefused", kind: "policy" });
  });

  it("names the signal that killed it", () => {
    const failure = failureOf("terraform plan", { output: "", env: {}, killedBy: "SIGKILL" });

    expect(failure).toBeInstanceOf(TargetRefused);
    expect(failure.message).toBe("'terraform plan' was killed by SIGKILL: it printed nothing");
  });

  it("tells the preconditions of a staged Deployment from those of others", () => {
    const stage = { color: "green", image: "registry.example.com/app:2", release: { mark: "m", epoch: 7 } } as const;
    const stack = stackOf(synthesize(local, { stage }), "green");
    const preconditions = resourceOf(stack, "kubernetes_deployment_v1").lifecycle?.precondition ?? [];
    const source = JSON.stringify({ precondition: preconditions });
    const failed = (message: string) => {
      const output = `Error: Resource precondition failed\n  on cdk.tf.json line 9:\n  9: ${source}\n\n${message}`;
      return failureOf("terraform apply", { output, env: {} });
    };

    expect(preconditions).toHaveLength(2);
    for (const { error_message: message } of preconditions) expect(failed(message)).toBeInstanceOf(GuardFailed);
    expect(failed("the image needs a tag")).toMatchObject({
      name: "TargetRefused",
      message: expect.stringContaining("the image needs a tag"),
    });
  });

  it("is bounded, and has no secret that a line break splits", () => {
    const error = failureOf("terraform plan", {
      output: `Error: two\n│ words ${"x ".repeat(9000)}`,
      env: { TF_VAR_key: "two words" },
    });
    expect(error.message).toMatch(/^'terraform plan' failed: Error: \(secret\) x/);
    expect(error.message.length).toBeLessThan(2100);
  });
});
