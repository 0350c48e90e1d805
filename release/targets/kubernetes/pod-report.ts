import { CONTAINER } from "../../../environment/names.ts";
import type { PodReport } from "../../ports/capacity.ts";
import type { KubeApi, KubeObject } from "./api/kube-api.ts";
import type { ContainerStatus, KubePod } from "./pods.ts";

/** An Event of the cluster, as far as it explains a pod. */
export interface KubeEvent extends KubeObject {
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

const EVENTS = 5;
const LOG_LINES = 10;

/**
 * Why a pod does not become ready: its latest warnings, and the last log lines of the container that keeps it.
 *
 * A missing right, or a container that has not started, makes a report shorter and never fails.
 */
export async function reportOf(api: KubeApi, name: string, signal?: AbortSignal): Promise<PodReport> {
  const [pods, events] = await Promise.all([
    api.list<KubePod>("Pod", { fieldSelector: `metadata.name=${name}` }, signal).catch(() => []),
    warningsOf(api, name, signal),
  ]);
  signal?.throwIfAborted();
  const kept = keptBy(pods[0]);
  const container = kept?.name ?? CONTAINER;
  const log = kept !== undefined && hasStarted(kept) ? await logOf(api, name, container, signal) : "";
  return { events: events.slice(-EVENTS).map(asLine), container, log: log.trimEnd().split("\n").filter(isNotBlank) };
}

async function logOf(api: KubeApi, pod: string, container: string, signal?: AbortSignal): Promise<string> {
  try {
    return await api.log(pod, { container, lines: LOG_LINES }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return `(its log cannot be read: ${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Events of a pod, oldest first; none without the right to read them. */
export async function warningsOf(api: KubeApi, pod: string, signal?: AbortSignal): Promise<readonly KubeEvent[]> {
  const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${pod},type=Warning`;
  const events = await api.list<KubeEvent>("Event", { fieldSelector }, signal).catch(() => []);
  signal?.throwIfAborted();
  return [...events].sort((a, b) => timeOf(a).localeCompare(timeOf(b)));
}

/** The first container that has not come up: init containers run before the others. */
function keptBy(pod: KubePod | undefined): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  const failed = [...initContainerStatuses, ...containerStatuses.filter(({ ready }) => ready !== true)].find(hasFailed);
  const unready = containerStatuses.find(({ ready }) => ready === false);
  return failed ?? unready;
}

/** A container that waits for its image has no log. */
const hasStarted = ({ state, lastState }: ContainerStatus) =>
  state?.waiting === undefined || lastState?.terminated !== undefined;

const hasFailed = ({ state, lastState }: ContainerStatus) =>
  state?.waiting?.reason === "CrashLoopBackOff" ||
  (lastState?.terminated?.exitCode ?? state?.terminated?.exitCode ?? 0) !== 0;

const asLine = ({ reason = "Event", message = "", count = 1 }: KubeEvent): string =>
  `${count > 1 ? `${count} × ` : ""}${reason}: ${message}`.replaceAll(/\s+/g, " ").slice(0, 400);

const isNotBlank = (line: string) => line.trim() !== "";

const timeOf = ({ lastTimestamp, eventTime, metadata }: KubeEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
