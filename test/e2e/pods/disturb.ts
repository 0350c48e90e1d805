import { setTimeout as sleep } from "node:timers/promises";
import type { Color } from "../../../environment/color.ts";
import { COLOR_LABEL } from "../../../environment/names.ts";
import { colorName } from "../../default-names.ts";
import { kubectl } from "../cluster.ts";

/** Names of a color's running pods. */
export async function podNames(color: Color): Promise<string[]> {
  const names = await kubectl(
    "get",
    "pods",
    `--selector=${COLOR_LABEL}=${color}`,
    "--field-selector=status.phase=Running",
    "--output=jsonpath={.items[*].metadata.name}",
  );
  return names.split(" ").filter((name) => name !== "");
}

/** Ends a pod as the kubelet does when its node runs out of memory or disk: it stays in the list, in phase Failed. */
export async function evict(pod: string): Promise<void> {
  const status = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." };
  await kubectl("patch", "pod", pod, "--subresource=status", "--type=merge", `--patch=${JSON.stringify({ status })}`);
}

/** Ends a pod's container, which then cannot start again. */
export async function breakPod(pod: string): Promise<void> {
  const operations = [{ op: "replace", path: "/spec/containers/0/image", value: "localhost/nowhere:0" }];
  await kubectl("patch", "pod", pod, "--type=json", `--patch=${JSON.stringify(operations)}`);
}

export async function scale(color: Color, replicas: number): Promise<void> {
  await kubectl("scale", `deployment/${deployment(color)}`, `--replicas=${replicas}`);
}

/** Waits until a color has so many ready pods. */
export async function hasReady(color: Color, pods: number): Promise<void> {
  const enough = `--for=jsonpath={.status.readyReplicas}=${pods}`;
  await kubectl("wait", enough, `deployment/${deployment(color)}`, "--timeout=90s");
}

/** Waits until a color wants so many pods and cannot have them all. */
export async function lacksPods(color: Color): Promise<void> {
  const failing = "--for=condition=ReplicaFailure";
  await kubectl("wait", failing, `deployment/${deployment(color)}`, "--timeout=60s");
}

/** Waits until no pod of a color is ending, so that the next step meets only pods that stay. */
export async function isQuiet(color: Color, pods: number): Promise<void> {
  const deadline = performance.now() + 90_000;
  while ((await podNames(color)).length !== pods) {
    if (performance.now() > deadline) throw new Error(`${color} does not come back to ${pods} pods`);
    await sleep(500);
  }
}

const deployment = (color: Color) => colorName(color);
