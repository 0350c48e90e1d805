import type {
  DeploymentV1SpecTemplate,
  DeploymentV1SpecTemplateSpecContainer,
} from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import {
  APP,
  colorLabels,
  CONTAINER,
  DATA_DIR,
  MARK_ANNOTATION,
  PORTS,
  redisUrlSecret,
  requestStateSecret,
  SETTINGS_ANNOTATION,
} from "../environment/names.ts";
import type { Color } from "../environment/color.ts";
import { flatten, type KeyReference, type PodSettings } from "./pod-settings.ts";
import { REDIS_URL, REQUEST_STATE_KEY } from "./revisioned-secret.ts";

export interface PodTemplateProps {
  readonly color: Color;
  readonly image: string;
  readonly settings: PodSettings;

  /** @default - no release staged the pods */
  readonly mark?: string | undefined;
}

/**
 * A pod of a color, whole: image and settings together, so that one replaced pod is like its neighbors however long ago they were
 * staged. What the settings were stands in an annotation, to be compared with what the environment says now.
 */
export function podTemplate({ color, image, settings, mark }: PodTemplateProps): DeploymentV1SpecTemplate {
  const { preStopSeconds, drainSeconds } = settings.shutdown;
  return {
    metadata: {
      labels: colorLabels(color),
      annotations: {
        [SETTINGS_ANNOTATION]: JSON.stringify(flatten(settings)),
        ...(mark !== undefined && { [MARK_ANNOTATION]: mark }),
      },
    },
    spec: {
      serviceAccountName: APP,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // The kubelet counts from the start of preStop.
      terminationGracePeriodSeconds: preStopSeconds + drainSeconds,
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
        ...(settings.data && OWNS_ITS_VOLUME),
      },
      topologySpreadConstraint: [spreadOver("topology.kubernetes.io/zone"), spreadOver("kubernetes.io/hostname")].map(
        (constraint) => ({ ...constraint, labelSelector: [{ matchLabels: colorLabels(color) }] }),
      ),
      container: [container(color, image, settings)],
      ...(settings.data && { volume: [volume(settings.data)] }),
    },
  };
}

function container(color: Color, image: string, settings: PodSettings): DeploymentV1SpecTemplateSpecContainer {
  const { env, resources, secret, probes, shutdown } = settings;
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: "IfNotPresent",
    port: Object.values(PORTS).map(({ name, number }) => ({ name, containerPort: number, protocol: "TCP" })),
    env: [
      { name: "APP_COLOR", value: color },
      // First, so that a plain setting can contain them as $(NAME).
      ...Object.entries(settings.envFromKeys).map(([name, reference]) => ({ name, valueFrom: valueFrom(reference) })),
      ...Object.entries(env).map(([name, value]) => ({ name, value })),
      fromSecret(REQUEST_STATE_KEY.variable, requestStateSecret(secret.requestStateKeyRevision)),
      // A pod that finds it gone, as the environment no longer has a Redis, starts without: no call depends on it.
      ...(secret.redisUrlRevision === undefined
        ? []
        : [fromSecret(REDIS_URL.variable, redisUrlSecret(secret.redisUrlRevision), true)]),
    ],
    ...(settings.data && { volumeMount: [{ name: DATA, mountPath: DATA_DIR }] }),
    resources: { requests: { ...resources.requests }, limits: { ...resources.limits } },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
    },
    startupProbe: { ...ask("/readyz"), periodSeconds: 1, failureThreshold: probes.startupSeconds },
    readinessProbe: { ...ask("/readyz"), periodSeconds: probes.readinessPeriodSeconds, failureThreshold: 2 },
    livenessProbe: { ...ask("/livez"), periodSeconds: probes.livenessPeriodSeconds, failureThreshold: 3 },
    lifecycle: { preStop: [{ exec: { command: sleep(shutdown.preStopSeconds) } }] },
  };
}

const DATA = "data";

/** Whatever user the image runs as, the group may write; a large volume is looked through only where that is not so already. */
const OWNS_ITS_VOLUME = { fsGroup: "65532", fsGroupChangePolicy: "OnRootMismatch" };

const volume = (data: NonNullable<PodSettings["data"]>) => ({
  name: DATA,
  ...("claim" in data
    ? { persistentVolumeClaim: { claimName: data.claim } }
    : { emptyDir: { sizeLimit: data.sizeLimit } }),
});

function valueFrom({ key, optional, ...of }: KeyReference) {
  const named = { key, ...(optional && { optional }) };
  return "secret" in of
    ? { secretKeyRef: { name: of.secret, ...named } }
    : { configMapKeyRef: { name: of.configMap, ...named } };
}

const fromSecret = (variable: string, name: string, optional = false) => ({
  name: variable,
  valueFrom: { secretKeyRef: { name, key: variable, ...(optional && { optional }) } },
});

const ask = (path: string) => ({ httpGet: { path, port: PORTS.admin.name }, timeoutSeconds: 2 });

/** A preference: a cluster with one zone, or one node left, still gets its pods. */
const spreadOver = (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway",
  // Each ReplicaSet by itself; otherwise the pods of the version that leaves push the new ones together.
  matchLabelKeys: ["pod-template-hash"],
});

/**
 * Kubernetes has a `sleep` of its own, which the provider's schema has not, and the image has no shell. It has Node, and wherever
 * it keeps it: `/proc/1/exe` is the program that the container runs. See docs/decisions/pre-stop-sleep.md.
 */
const sleep = (seconds: number) => ["/proc/1/exe", "--eval", `setTimeout(() => {}, ${seconds * 1000})`];
