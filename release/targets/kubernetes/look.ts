import type { V1Deployment, V1Pod, V2HorizontalPodAutoscaler } from "@kubernetes/client-node";
import { z } from "zod";
import {
  APP,
  appLabels,
  COLOR_LABEL,
  colorName,
  CONTAINER,
  LIVE_SERVICE,
  SETTINGS_ANNOTATION,
  WANTED_SETTINGS,
} from "../../../environments/names.ts";
import { COLORS, type Color } from "../../color.ts";
import { UsageError, type ColorState, type Pod, type Snapshot } from "../../target.ts";
import { ask, find, type Cluster } from "./cluster.ts";
import { readRecord } from "./lease.ts";

const settingsSchema = z.record(z.string(), z.string());

/** Everything that a release needs to know of a cluster, read in one go. */
export async function look(cluster: Cluster): Promise<Snapshot> {
  const { namespace, core } = cluster;
  const [live, wanted, pods, release, blue, green] = await Promise.all([
    liveColor(cluster),
    find("read the wanted settings", core.readNamespacedConfigMap({ namespace, name: WANTED_SETTINGS })),
    listPods(cluster),
    readRecord(cluster),
    readColor(cluster, "blue"),
    readColor(cluster, "green"),
  ]);
  return {
    live,
    wanted: wanted?.data ?? {},
    release,
    colors: { blue: colorState(blue, pods, "blue"), green: colorState(green, pods, "green") },
  };
}

/** @throws UsageError when the environment was never deployed here, or its Service selects no color */
export async function liveColor({ namespace, core }: Cluster): Promise<Color> {
  const service = await find("read the live Service", core.readNamespacedService({ namespace, name: LIVE_SERVICE }));
  if (service === undefined) {
    throw new UsageError(
      `there is no Service '${LIVE_SERVICE}' in namespace '${namespace}'; deploy the environment first`,
    );
  }
  const selected = service.spec?.selector?.[COLOR_LABEL];
  const color = COLORS.find((color) => color === selected);
  if (color !== undefined) return color;
  throw new UsageError(
    `Service '${LIVE_SERVICE}' selects the color '${selected ?? ""}'; it must be one of ${COLORS.join(", ")}`,
  );
}

/** The pods of the app that are not on their way out. */
export async function listPods({ namespace, core }: Cluster): Promise<readonly V1Pod[]> {
  const labelSelector = Object.entries(appLabels())
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
  const { items } = await ask("list the pods", core.listNamespacedPod({ namespace, labelSelector }));
  return items.filter((pod) => pod.metadata?.deletionTimestamp === undefined);
}

export const hasColor = (color: Color) => (pod: V1Pod) => pod.metadata?.labels?.[COLOR_LABEL] === color;

export const isReady = (pod: V1Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

interface ColorObjects {
  readonly deployment: V1Deployment | undefined;
  readonly autoscaler: V2HorizontalPodAutoscaler | undefined;
}

async function readColor({ namespace, apps, autoscaling }: Cluster, color: Color): Promise<ColorObjects> {
  const object = { namespace, name: colorName(color) };
  const [deployment, autoscaler] = await Promise.all([
    find(`read the Deployment of ${color}`, apps.readNamespacedDeployment(object)),
    find(`read the autoscaler of ${color}`, autoscaling.readNamespacedHorizontalPodAutoscaler(object)),
  ]);
  return { deployment, autoscaler };
}

function colorState({ deployment, autoscaler }: ColorObjects, pods: readonly V1Pod[], color: Color): ColorState {
  const template = deployment?.spec?.template;
  return {
    image: imageOf(template?.spec?.containers),
    desired: deployment?.spec?.replicas ?? 0,
    pinned: autoscaler?.spec.minReplicas,
    settings: readSettings(template?.metadata?.annotations?.[SETTINGS_ANNOTATION]),
    pods: pods.filter(hasColor(color)).map(podState),
    rollingOut: deployment !== undefined && isRollingOut(deployment),
  };
}

/** As `kubectl rollout status` tells it; pods that are on their way out count no more. */
function isRollingOut({ metadata, status }: V1Deployment): boolean {
  const seen = status?.observedGeneration ?? 0;
  const old = (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return seen < (metadata?.generation ?? 0) || old > 0;
}

function podState(pod: V1Pod): Pod {
  const restarts = (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
  const image = imageOf(pod.spec?.containers) ?? "";
  return { name: pod.metadata?.name ?? APP, ready: isReady(pod), restarts, image };
}

const imageOf = (containers: readonly { name: string; image?: string }[] = []) =>
  containers.find(({ name }) => name === CONTAINER)?.image;

/** Somebody else's annotation is not worth failing for: what it should say then shows as waiting. */
function readSettings(annotation = "{}"): Readonly<Record<string, string>> {
  try {
    return settingsSchema.parse(JSON.parse(annotation));
  } catch {
    return {};
  }
}
