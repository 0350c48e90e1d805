import { expect, it } from "@jest/globals";
import { colorName } from "../default-names.ts";
import { storeWorld } from "./world.ts";

const GREEN = { kind: "Deployment", name: colorName("green") } as const;

it("a paused Deployment is named at once as the reason why a color does not become ready", async () => {
  const world = storeWorld();
  // As the controller of Kubernetes 1.34 writes it.
  const paused = {
    type: "Progressing",
    status: "Unknown",
    reason: "DeploymentPaused",
    message: "Deployment is paused",
  };
  world.store.edit(GREEN, ({ spec, status }) => {
    Object.assign(spec, { paused: true });
    status.conditions = [paused];
  });

  expect((await world.open().capacity.color("green")).problems).toEqual([
    {
      what:
        "Deployment 'mcp-app-green' is paused and replaces no pod; " +
        "run 'kubectl rollout resume deployment/mcp-app-green --namespace mcp'",
      final: false,
    },
  ]);
});
