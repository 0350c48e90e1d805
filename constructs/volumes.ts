import type {
  DeploymentV1SpecTemplateSpecContainerVolumeMount,
  DeploymentV1SpecTemplateSpecVolume,
} from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { PodProps } from "./pod-props.ts";

const DATA = "data";
const TMP = "tmp";
const PAUSE = "pause";

/** Where the program that waits before a stop is copied to. */
export const pauseMount = { name: PAUSE, mountPath: "/mcp-bluegreen" };

/** The volumes of a pod. */
export const volumes = ({ data, writableTmp, pause }: PodProps): DeploymentV1SpecTemplateSpecVolume[] => [
  ...(data === undefined
    ? []
    : [
        {
          name: DATA,
          ...("claim" in data
            ? { persistentVolumeClaim: { claimName: data.claim } }
            : { emptyDir: { sizeLimit: data.sizeLimit } }),
        },
      ]),
  ...(writableTmp ? [{ name: TMP, emptyDir: {} }] : []),
  ...(pause !== undefined && "image" in pause ? [{ name: PAUSE, emptyDir: { sizeLimit: "8Mi" } }] : []),
];

/** What the container of the server sees of them. */
export const volumeMounts = ({
  data,
  writableTmp,
  pause,
}: PodProps): DeploymentV1SpecTemplateSpecContainerVolumeMount[] => [
  ...(data === undefined ? [] : [{ name: DATA, mountPath: data.folder }]),
  ...(writableTmp ? [{ name: TMP, mountPath: "/tmp" }] : []),
  ...(pause !== undefined && "image" in pause ? [{ ...pauseMount, readOnly: true }] : []),
];
