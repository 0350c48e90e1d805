import { setTimeout as sleep } from "node:timers/promises";
import { APP, COLOR_LABEL } from "../../environment/names.ts";
import { colorName, PORTS } from "../default-names.ts";
import local from "./on-node-port.ts";
import { COLORS, type Color } from "../../environment/color.ts";
import { mustRun, run } from "./command.ts";

const { namespace } = local;

/** Where the live Service of environment `local` answers on a node that is this machine. */
export const SERVICE_URL = `http://127.0.0.1:${local.service.type === "NodePort" ? (local.service.nodePort ?? 0) : 0}/mcp`;

export const kubectl = (...args: readonly string[]) => mustRun("kubectl", ["--namespace", namespace, ...args]);

export async function reachable(): Promise<boolean> {
  return (await run("kubectl", ["get", "--raw", "/readyz"])).code === 0;
}

export async function namespaceExists(): Promise<boolean> {
  return (await run("kubectl", ["get", "namespace", namespace])).code === 0;
}

/** Waits until every color has as many ready pods as it has when it is quiet. */
export async function allReady(colors: readonly Color[] = COLORS): Promise<void> {
  const { minReplicas } = local.scaling;
  for (const color of colors) {
    // A new Deployment has one pod until its autoscaler has seen it.
    const enough = `--for=jsonpath={.status.readyReplicas}=${minReplicas}`;
    await kubectl("wait", enough, `deployment/${colorName(color)}`, "--timeout=120s");
    await kubectl("rollout", "status", `deployment/${colorName(color)}`, "--timeout=120s");
  }
}

/** Waits until the nodes have learned of a new Service. */
export async function serviceAnswers(url = SERVICE_URL): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (performance.now() > deadline) throw new Error(`nothing answers at ${url}`);
    await sleep(100);
  }
}

/** An identity of each pod that is there to stay, which changes when the pod is replaced. */
export async function podIdentities(color?: Color): Promise<string[]> {
  const selector = color === undefined ? `app.kubernetes.io/name=${APP}` : `${COLOR_LABEL}=${color}`;
  const { items } = JSON.parse(await kubectl("get", "pods", "--selector", selector, "--output", "json")) as PodList;
  return items
    .flatMap(({ metadata: { uid, deletionTimestamp } }) => (deletionTimestamp === undefined ? [uid] : []))
    .sort();
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string } }[];
}

/** What every pod of a color says of itself at `/health`. */
export async function healthOf(color: Color): Promise<Health[]> {
  const names = await kubectl(
    "get",
    "pods",
    "--selector",
    `${COLOR_LABEL}=${color}`,
    "--output=jsonpath={.items[*].metadata.name}",
  );
  const path = (pod: string) => `/api/v1/namespaces/${namespace}/pods/${pod}:${PORTS.admin.number}/proxy/health`;
  return await Promise.all(
    names.split(" ").map(async (pod) => JSON.parse(await kubectl("get", "--raw", path(pod))) as Health),
  );
}

interface Health {
  readonly dependencies: Readonly<Record<string, { readonly status: string } | undefined>>;
}

/** Deletes every pod of a color at once, and waits until new ones are ready. */
export async function replacePods(color: Color): Promise<void> {
  await kubectl("delete", "pods", "--selector", `${COLOR_LABEL}=${color}`, "--wait=true");
  await allReady([color]);
}

export async function liveColor(): Promise<Color> {
  const path = `jsonpath={.spec.selector.${COLOR_LABEL.replaceAll(".", "\\.")}}`;
  return (await kubectl("get", "service", APP, "--output", path)) as Color;
}
