import { describe, expect, it } from "@jest/globals";
import { bundledServer } from "../../environment/bundled-server.ts";
import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import { withServer } from "./a-server.ts";
import { resourceOf, stackOf, synthesize } from "./synthesized.ts";

const autoscalerOf = (scaling: object) =>
  resourceOf(stackOf(synthesize(withServer({}, { scaling })), "green"), "kubernetes_horizontal_pod_autoscaler_v2").spec;

const utilization = (name: string, percent: number) => ({
  type: "Resource",
  resource: { name, target: { type: "Utilization", average_utilization: percent } },
});

describe("an environment scales", () => {
  it("to a fixed number of pods, with an autoscaler whose minimum a release can raise", () => {
    expect(autoscalerOf({ replicas: 3 })).toMatchObject({
      min_replicas: 3,
      max_replicas: 3,
      // What the API would write itself.
      metric: [utilization("cpu", 80)],
    });
  });

  it("on CPU, on memory, or on both", () => {
    const bounds = { minReplicas: 2, maxReplicas: 10 };

    expect(autoscalerOf({ ...bounds, cpuPercent: 70 }).metric).toEqual([utilization("cpu", 70)]);
    expect(autoscalerOf({ ...bounds, memoryPercent: 90 }).metric).toEqual([utilization("memory", 90)]);
    expect(autoscalerOf({ ...bounds, cpuPercent: 80, memoryPercent: 80 }).metric).toEqual([
      utilization("cpu", 80),
      utilization("memory", 80),
    ]);
  });

  it("on requests and latency, with CPU beside them if it says so", () => {
    const of = environment({ ...local, server: bundledServer(), scaling: { ...local.scaling, cpuPercent: 80 } });
    const { spec } = resourceOf(stackOf(synthesize(of), "blue"), "kubernetes_horizontal_pod_autoscaler_v2");

    expect(spec.metric).toEqual([
      expect.objectContaining({ type: "Pods" }),
      expect.objectContaining({ type: "Pods" }),
      utilization("cpu", 80),
    ]);
  });

  it.each([
    [
      "by nothing",
      { minReplicas: 2, maxReplicas: 4 },
      "scaling: nothing would scale between 2 and 4 pods: add cpuPercent, memoryPercent, or requestsPerPod with latencyObjectiveMs; " +
        "or say { replicas: … }",
    ],
    [
      "without numbers, beside a number in quotes",
      { minReplicas: "2" },
      "scaling.minReplicas: must be a number: write 2 without quotes\n  scaling.maxReplicas: is missing: pods of each color under full load",
    ],
    ["without numbers", {}, "scaling.minReplicas: is missing: pods of each color when it is quiet; or say 'replicas'"],
    [
      "to a fixed number on CPU",
      { replicas: 3, cpuPercent: 80 },
      "scaling.replicas: is a fixed number of pods, and cpuPercent would have no effect",
    ],
    [
      "on requests that nothing measures",
      { minReplicas: 1, maxReplicas: 2, requestsPerPod: 5, latencyObjectiveMs: 100 },
      "scaling.requestsPerPod: needs metrics of the server: describe them in server.metrics, or scale by cpuPercent",
    ],
    [
      "on requests without an objective",
      { minReplicas: 1, maxReplicas: 2, requestsPerPod: 5 },
      "scaling.latencyObjectiveMs: is missing: it goes with requestsPerPod",
    ],
    [
      "backwards",
      { minReplicas: 3, maxReplicas: 2, cpuPercent: 80 },
      "minReplicas (3) must be at most maxReplicas (2)",
    ],
  ])("and is refused if it does so %s", (_, scaling, message) => {
    expect(() => withServer({}, { scaling })).toThrow(message);
  });
});
