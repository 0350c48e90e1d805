import type {
  DeploymentV1SpecTemplateSpec,
  DeploymentV1SpecTemplateSpecContainer,
} from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { Color } from "../environment/color.ts";
import { contained, container } from "./container.ts";
import type { PodProps, SidecarProps } from "./pod-props.ts";
import { probeOf } from "./probe.ts";
import { scheduling } from "./scheduling.ts";
import { PAUSE_MOUNT, Volumes } from "./volumes.ts";

/** The container of the server. */
export function serverContainer(
  pod: PodProps,
  color?: Color,
): Omit<DeploymentV1SpecTemplateSpecContainer, "name" | "image"> {
  const { colorVariable, probes, env } = pod.server;
  const colored = color === undefined || colorVariable === undefined ? env : { [colorVariable]: color, ...env };
  const { server: mounts } = new Volumes(pod);
  return {
    ...container({ ...pod.server, env: colored }, pod.pullPolicy),
    ...(mounts.length > 0 && { volumeMount: [...mounts] }),
    startupProbe: probeOf(probes.startup),
    readinessProbe: probeOf(probes.readiness),
    livenessProbe: probeOf(probes.liveness),
    ...(pod.pause && { lifecycle: { preStop: [{ exec: { command: waiting(pod.pause) } }] } }),
  };
}

/** Kubernetes has a `sleep` of its own, which the provider's schema has not. See docs/decisions/pre-stop-sleep.md. */
const waiting = (pause: NonNullable<PodProps["pause"]>) =>
  "command" in pause ? [...pause.command] : [`${PAUSE_MOUNT.mountPath}/sleep`, String(pause.seconds)];

/** Everything but the container of the server. `own` are the labels of the pods beside it. */
export function podSpec(pod: PodProps, own: Readonly<Record<string, string>>) {
  const volumes = new Volumes(pod);
  const beside = (props: SidecarProps) => {
    const mounts = volumes.filesOf(props.files);
    const { name, image } = props;
    return { name, image, ...container(props, pod.pullPolicy), ...(mounts.length > 0 && { volumeMount: mounts }) };
  };
  const initContainer = [...copyOfSleep(pod), ...pod.initContainers.map(beside)];
  return {
    serviceAccountName: pod.serviceAccount,
    automountServiceAccountToken: pod.mountToken,
    enableServiceLinks: false,
    // The kubelet counts from the start of the pause.
    terminationGracePeriodSeconds: pod.graceSeconds,
    securityContext: security(pod),
    ...(pod.pullSecrets.length > 0 && { imagePullSecrets: pod.pullSecrets.map((name) => ({ name })) }),
    ...scheduling(pod.scheduling, own),
    ...(initContainer.length > 0 && { initContainer }),
    ...(volumes.all.length > 0 && { volume: [...volumes.all] }),
    sidecar: pod.sidecars.map(beside),
  } satisfies DeploymentV1SpecTemplateSpec & { sidecar: unknown };
}

const security = ({ security: { user, group, fsGroup } }: PodProps) => ({
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
  ...(user !== undefined && { runAsUser: String(user) }),
  ...(group !== undefined && { runAsGroup: String(group) }),
  // A large volume is looked through only where its group is not so already.
  ...(fsGroup !== undefined && { fsGroup: String(fsGroup), fsGroupChangePolicy: "OnRootMismatch" }),
});

/** Copies a static `sleep` for the server's container, whose image may have no shell. */
const copyOfSleep = ({ pause, pullPolicy, security: { user } }: PodProps) =>
  pause === undefined || !("image" in pause)
    ? []
    : [
        {
          name: "copy-sleep",
          image: pause.image,
          imagePullPolicy: pullPolicy,
          command: ["/bin/busybox", "cp", "/bin/busybox", `${PAUSE_MOUNT.mountPath}/sleep`],
          volumeMount: [PAUSE_MOUNT],
          resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "16Mi" } },
          // The image itself would run as root.
          securityContext: { ...contained(true), runAsUser: String(user ?? NOBODY) },
        },
      ];

const NOBODY = 65532;
