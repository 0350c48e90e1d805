import { describe, expect, it } from "@jest/globals";
import { StateChanged, TargetRefused, TargetUnreachable } from "../../../release/errors.ts";
import { failureOf } from "../../../release/targets/kubernetes/staging/failure.ts";

const API = '╷\n│ Error: Failed to update deployment: deployments.apps "mcp-app-green" is forbidden: ';

describe("Terraform's output of a failed command", () => {
  it("with a stale plan says that the state has changed", () => {
    expect(failureOf("terraform apply", "╷\n│ Error: Saved plan is stale\n│\n╵", {})).toBeInstanceOf(StateChanged);
  });

  it.each([
    ["quota", `${API}exceeded quota: pods`],
    ["policy", `${API}ValidatingAdmissionPolicy 'x' denied request: no`],
    ["forbidden", `${API}User "ci" cannot patch resource "deployments"`],
    ["invalid", "│ Error: Unsupported argument"],
  ])("is a refusal of the kind %s", (kind, output) => {
    const error = failureOf("terraform apply", output, {});
    expect(error).toBeInstanceOf(TargetRefused);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(/^'terraform apply' failed: Error: [^│]+$/) });
  });

  it("without a connection says that the target cannot be reached", () => {
    const output = "│ Error: Get https://127.0.0.1:6443: dial tcp 127.0.0.1:6443: connect: connection refused";
    expect(failureOf("terraform plan", output, {})).toBeInstanceOf(TargetUnreachable);
  });

  it("is bounded, and has no secret that a line break splits", () => {
    const error = failureOf("terraform plan", `Error: two\n│ words ${"x ".repeat(9000)}`, { TF_VAR_key: "two words" });
    expect(error.message).toMatch(/^'terraform plan' failed: Error: \(secret\) x/);
    expect(error.message.length).toBeLessThan(2100);
  });
});
