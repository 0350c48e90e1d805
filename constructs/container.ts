import type { DeploymentV1SpecTemplateSpecContainer } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import { CONTAINER } from "../environment/names.ts";
import type { KeyReference, Pause, PodProps } from "./pod-props.ts";
import { probeOf } from "./probe.ts";
import { pauseMount, volumeMounts } from "./volumes.ts";

/** The container of the server, without its image. `color` is absent where both colors are meant. */
export function container(props: PodProps, color?: string): Omit<DeploymentV1SpecTemplateSpecContainer, "image"> {
  const { ports, command, args, resources, probes, pause } = props;
  const mounts = volumeMounts(props);
  return {
    name: CONTAINER,
    imagePullPolicy: "IfNotPresent",
    ...(command && { command: [...command] }),
    ...(args && { args: [...args] }),
    port: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort, protocol: "TCP" })),
    env: environmentOf(props, color),
    ...(mounts.length > 0 && { volumeMount: mounts }),
    resources: { requests: { ...resources.requests }, limits: { ...resources.limits } },
    securityContext: CONTAINED,
    startupProbe: probeOf(probes.startup),
    readinessProbe: probeOf(probes.readiness),
    livenessProbe: probeOf(probes.liveness),
    ...(pause && { lifecycle: { preStop: [{ exec: { command: waiting(pause) } }] } }),
  };
}

/** No privileges and nothing to write to but volumes. */
export const CONTAINED = {
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
};

const environmentOf = ({ colorVariable, env, envFromKeys }: PodProps, color?: string) => [
  ...(colorVariable === undefined || color === undefined ? [] : [{ name: colorVariable, value: color }]),
  // First, so that a plain setting can contain them as $(NAME).
  ...Object.entries(envFromKeys).map(([name, reference]) => ({ name, valueFrom: valueFrom(reference) })),
  ...Object.entries(env).map(([name, value]) => ({ name, value })),
];

function valueFrom({ key, optional, ...of }: KeyReference) {
  const named = { key, ...(optional && { optional }) };
  return "secret" in of
    ? { secretKeyRef: { name: of.secret, ...named } }
    : { configMapKeyRef: { name: of.configMap, ...named } };
}

/** Kubernetes has a `sleep` of its own, which the provider's schema has not. See docs/decisions/pre-stop-sleep.md. */
const waiting = (pause: Pause) =>
  "command" in pause ? [...pause.command] : [`${pauseMount.mountPath}/sleep`, String(pause.seconds)];
