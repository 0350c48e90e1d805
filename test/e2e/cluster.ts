import { APP, COLOR_LABEL, colorName } from "../../environments/names.ts";
import local from "../../environments/local.ts";
import { COLORS, type Color } from "../../release/color.ts";
import { mustRun, run } from "./command.ts";

const { namespace } = local;

/** Where the live Service of environment `local` answers on a node that is this machine. */
export const SERVICE_URL = `http://127.0.0.1:${local.service.type === "NodePort" ? (local.service.nodePort ?? 0) : 0}/mcp`;

const kubectl = (...args: readonly string[]) => mustRun("kubectl", ["--namespace", namespace, ...args]);

export async function reachable(): Promise<boolean> {
  return (await run("kubectl", ["get", "--raw", "/readyz"])).code === 0;
}

export async function namespaceExists(): Promise<boolean> {
  return (await run("kubectl", ["get", "namespace", namespace])).code === 0;
}

/** Waits until every pod of every color is ready. */
export async function allReady(colors: readonly Color[] = COLORS): Promise<void> {
  for (const color of colors) {
    await kubectl("rollout", "status", `deployment/${colorName(color)}`, "--timeout=120s");
  }
}

/** The pods that exist, by name, with an identity that changes when one is replaced. */
export async function podIdentities(color?: Color): Promise<string[]> {
  const selector = color === undefined ? `app.kubernetes.io/name=${APP}` : `${COLOR_LABEL}=${color}`;
  const pods = await kubectl("get", "pods", "--selector", selector, "--output", "jsonpath={.items[*].metadata.uid}");
  return pods.split(" ").sort();
}

/** Deletes every pod of a color at once, and waits until new ones are ready. */
export async function replacePods(color: Color): Promise<void> {
  await kubectl("delete", "pods", "--selector", `${COLOR_LABEL}=${color}`, "--wait=true");
  await allReady([color]);
}

export async function liveColor(): Promise<string> {
  const path = `jsonpath={.spec.selector.${COLOR_LABEL.replaceAll(".", "\\.")}}`;
  return await kubectl("get", "service", APP, "--output", path);
}
