import { describe, expect, it } from "@jest/globals";
import { environment } from "../../environment/environment.ts";
import { canonicalQuantity } from "../../environment/quantity.ts";
import everyField from "./every-field.ts";
import { synthesize } from "./synthesized.ts";

/** The fields of the provider that are quantities. */
const FIELDS = ["cpu", "memory", "storage", "size_limit", "average_value"];

/** Every quantity of a synth, by the path to it. */
function quantities(value: unknown, path: readonly string[] = []): [string, string][] {
  if (typeof value === "string" && FIELDS.includes(path.at(-1) ?? "")) return [[path.join("."), value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => quantities(part, [...path, key]));
}

const awkward = { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: "2000m", memory: "1.5Gi" } };
const [before] = everyField.pod.initContainers;
const [beside] = everyField.pod.sidecars;

/** Every quantity that an environment may say, in a form that the API would not write back. */
const written = environment({
  ...everyField,
  app: { ...everyField.app, resources: awkward, dataVolume: undefined },
  pod: {
    ...everyField.pod,
    initContainers: before === undefined ? [] : [{ ...before, resources: awkward }],
    sidecars: beside === undefined ? [] : [{ ...beside, resources: awkward }],
  },
  scaling: { minReplicas: 2, maxReplicas: 9, requestsPerPod: 1000, latencyObjectiveMs: 250 },
  volumes: {
    made: { type: "claim", path: "/made", size: "1024Gi", accessMode: "ReadWriteMany" },
    cache: { type: "emptyDir", path: "/cache", sizeLimit: "0.5Gi" },
  },
});

describe("every quantity of an environment", () => {
  const found = quantities(synthesize(written));

  it("is written as the API writes it back, so that the next plan is empty", () => {
    for (const [path, quantity] of found) expect([path, quantity]).toEqual([path, canonicalQuantity(quantity)]);
    expect(new Set(found.map(([, quantity]) => quantity))).toEqual(
      new Set(["500m", "1Gi", "2", "1536Mi", "1Ti", "512Mi", "1k", "1", "10m", "16Mi", "8Mi"]),
    );
  });

  it("is found in all places: containers, claims, folders and autoscalers", () => {
    const places = found.map(([path]) => path);
    const inTemplate = "kubernetes_deployment_v1.*spec\\.template\\.spec\\.";

    for (const place of [
      `${inTemplate}container\\.0\\.resources`,
      `${inTemplate}container\\.1\\.resources`,
      `${inTemplate}init_container\\.\\d\\.resources`,
      `${inTemplate}volume\\.\\d\\.empty_dir`,
      "kubernetes_persistent_volume_claim_v1",
      "kubernetes_horizontal_pod_autoscaler_v2",
    ]) {
      expect(places).toContainEqual(expect.stringMatching(place));
    }
  });
});
