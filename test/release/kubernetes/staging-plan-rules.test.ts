import { describe, expect, it } from "@jest/globals";
import { UsageError } from "../../../release/errors.ts";
import { planSchema } from "../../../plans/plan.ts";
import { judge, readPlan } from "../../../release/targets/kubernetes/staging/plan-rules.ts";

const EXPECTED = { stack: "test-green", namespace: "mcp", color: "green", name: "mcp-app-green" } as const;
const DEPLOYMENT = "kubernetes_deployment_v1.pods_deployment_1";

const change = (type: string, name: string, actions: string[], before: object = {}, after: object = before) => {
  const metadata = [{ name, namespace: "mcp" }];
  return {
    address: type === "kubernetes_deployment_v1" ? DEPLOYMENT : `${type}.x`,
    mode: "managed",
    type,
    change: { actions, before: { metadata, ...before }, after: { metadata, ...after } },
  };
};

const deployment = (action: string, name = "mcp-app-green") => change("kubernetes_deployment_v1", name, [action]);
const guard = {
  address: "terraform_data.stage",
  mode: "managed",
  type: "terraform_data",
  change: { actions: ["update"] },
};
const read = {
  address: "data.kubernetes_service_v1.live",
  mode: "data",
  type: "kubernetes_service_v1",
  change: { actions: ["read"] },
};
const scaling = (before: object, after: object, name = "mcp-app-green") =>
  change("kubernetes_horizontal_pod_autoscaler_v2", name, ["update"], { spec: [before] }, { spec: [after] });

const judged = (...changes: object[]) => judge(planSchema.parse({ resource_changes: changes }), EXPECTED);

describe("the rules of a stage's plan", () => {
  it.each([
    ["a new stage", [deployment("update"), guard, read]],
    ["a Deployment that is created", [deployment("create"), guard, read]],
    ["a repeated stage", [deployment("no-op")]],
    ["no resources", []],
  ])("allow %s", (_, changes) => {
    expect(judged(...changes)).toEqual({ apply: true });
  });

  it.each([
    [
      "Service",
      change("kubernetes_service_v1", "mcp-app-green", ["update"]),
      "'service mcp-app-green' differs from the environment (update)",
    ],
    [
      "budget",
      change("kubernetes_pod_disruption_budget_v1", "mcp-app-green", ["create"]),
      "'pdb mcp-app-green' differs from the environment (create)",
    ],
    [
      "Deployment of the other color",
      deployment("update", "mcp-app-blue"),
      "'deployment mcp-app-blue' differs from the environment (update)",
    ],
    ["Deployment that is deleted", deployment("delete"), "(delete)"],
    [
      "Deployment that is replaced",
      change("kubernetes_deployment_v1", "mcp-app-green", ["delete", "create"]),
      "(delete and create)",
    ],
    [
      "other data resource",
      { ...guard, address: "terraform_data.other" },
      "'terraform_data.other' differs from the environment (update)",
    ],
    [
      "lowered minimum",
      scaling({ min_replicas: 2 }, { min_replicas: 3 }),
      "'hpa mcp-app-green' differs from the environment (update)",
    ],
    [
      "raised minimum with another maximum",
      scaling({ min_replicas: 5, max_replicas: 6 }, { min_replicas: 2, max_replicas: 7 }),
      "'hpa mcp-app-green' differs from the environment (update)",
    ],
    [
      "raised minimum of the other color",
      scaling({ min_replicas: 5 }, { min_replicas: 2 }, "mcp-app-blue"),
      "'hpa mcp-app-blue' differs from the environment (update)",
    ],
  ])("name a %s and ask for a deploy", (_, foreign, message) => {
    const act = () => judged(deployment("update"), guard, read, foreign);
    expect(act).toThrow("; run 'cdktf deploy test-green' first");
    expect(act).toThrow(message);
  });

  it("limit the plan to the Deployment and the guard while a release holds the autoscaler's minimum", () => {
    const held = scaling({ min_replicas: 5, max_replicas: 6 }, { min_replicas: 2, max_replicas: 6 });

    expect(judged(deployment("update"), guard, read, held)).toEqual({
      apply: false,
      targets: [DEPLOYMENT, "terraform_data.stage"],
    });
  });
});

describe("the plan that Terraform shows", () => {
  it("is read", () => {
    expect(readPlan('{"resource_changes":[]}\n')).toEqual({ resource_changes: [] });
  });

  it.each([
    ["'[command]/opt/terraform-bin …'", '[command]/opt/terraform-bin show -json x.tfplan\n{"resource_changes":[]}\n'],
    ["nothing", "\n"],
    ["something else", '{"resource_changes":3,"password":"secret"}'],
  ])("is asked for without a wrapper if %s is shown instead", (printed, output) => {
    const act = () => readPlan(output);

    expect(act).toThrow(UsageError);
    expect(act).toThrow(`printed ${printed} instead of a plan in JSON`);
    expect(act).toThrow("set 'terraform_wrapper: false'");
    expect(act).not.toThrow("secret");
  });
});
