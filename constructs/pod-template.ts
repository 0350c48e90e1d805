import type {
  DeploymentV1SpecTemplate,
  DeploymentV1SpecTemplateSpec,
} from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { Color } from "../environment/color.ts";
import { MARK_ANNOTATION, SETTINGS_ANNOTATION, type Names } from "../environment/names.ts";
import { byPath } from "./by-path.ts";
import { CONTAINED, container } from "./container.ts";
import type { PodProps } from "./pod-props.ts";
import { pauseMount, volumes } from "./volumes.ts";

export interface PodTemplateProps {
  readonly names: Names;
  readonly color: Color;
  readonly image: string;
  readonly pod: PodProps;

  /** @default - no release staged the pods */
  readonly mark?: string | undefined;
}

/**
 * A pod of a color, whole: image and settings together, so that one replaced pod is like its neighbors however long ago they were
 * staged. What the settings were stands in an annotation, to be compared with what the environment says now.
 */
export function podTemplate({ names, color, image, pod, mark }: PodTemplateProps): DeploymentV1SpecTemplate {
  return {
    metadata: {
      labels: { ...names.colorLabels(color) },
      annotations: {
        [SETTINGS_ANNOTATION]: JSON.stringify(podSettings(names, pod)),
        ...(mark !== undefined && { [MARK_ANNOTATION]: mark }),
      },
    },
    spec: {
      ...podSpec(names, pod),
      topologySpreadConstraint: [spreadOver("topology.kubernetes.io/zone"), spreadOver("kubernetes.io/hostname")].map(
        (constraint) => ({ ...constraint, labelSelector: [{ matchLabels: { ...names.colorLabels(color) } }] }),
      ),
      container: [{ ...container(pod, color), image }],
    },
  };
}

/**
 * The whole pod template by its paths, without what differs between colors and releases: color, image and mark. The
 * environment's wanted settings and the annotation of staged pods are both this.
 */
export function podSettings(names: Names, pod: PodProps): Record<string, string> {
  return byPath({ ...container(pod), name: undefined, pod: podSpec(names, pod) });
}

function podSpec(names: Names, pod: PodProps): DeploymentV1SpecTemplateSpec {
  const volume = volumes(pod);
  return {
    serviceAccountName: names.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // The kubelet counts from the start of the pause.
    terminationGracePeriodSeconds: pod.graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      ...(pod.data && OWNS_ITS_VOLUME),
    },
    ...(pod.pause && "image" in pod.pause && { initContainer: [copyOfSleep(pod.pause.image)] }),
    ...(volume.length > 0 && { volume }),
  };
}

/** Whatever user the image runs as, the group may write; a large volume is looked through only where that is not so already. */
const OWNS_ITS_VOLUME = { fsGroup: "65532", fsGroupChangePolicy: "OnRootMismatch" };

/** Copies a static `sleep` for the server's container, whose image may have no shell. */
const copyOfSleep = (image: string) => ({
  name: "copy-sleep",
  image,
  imagePullPolicy: "IfNotPresent",
  command: ["/bin/busybox", "cp", "/bin/busybox", `${pauseMount.mountPath}/sleep`],
  volumeMount: [pauseMount],
  resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi" } },
  // The image itself would run as root.
  securityContext: { ...CONTAINED, runAsUser: "65532" },
});

/** A preference: a cluster with one zone, or one node left, still gets its pods. */
const spreadOver = (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway",
  // Each ReplicaSet by itself; otherwise the pods of the version that leaves push the new ones together.
  matchLabelKeys: ["pod-template-hash"],
});
