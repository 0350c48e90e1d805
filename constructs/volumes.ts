import type {
  DeploymentV1SpecTemplateSpecContainerVolumeMount,
  DeploymentV1SpecTemplateSpecVolume,
} from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { ObjectReference } from "./container.ts";
import type { PodProps } from "./pod-props.ts";

type Volume = DeploymentV1SpecTemplateSpecVolume;
type Mount = DeploymentV1SpecTemplateSpecContainerVolumeMount;

/** A Secret or ConfigMap as files: one key as a file at `path`, or all of them in the folder `path`. */
export type FileSource = ObjectReference & {
  readonly path: string;
  readonly key?: string | undefined;
  readonly optional: boolean;
};

/** A volume of the server's container. */
export type ServerVolume = { readonly name: string; readonly path: string } & (
  { readonly claim: string } | { readonly sizeLimit?: string | undefined; readonly memory: boolean }
);

/** Where the program that waits before a stop is copied to. */
export const PAUSE_MOUNT = { name: "pause", mountPath: "/mcp-bluegreen" };

/** The volumes of a pod and, for each container, where it sees them. */
export class Volumes {
  readonly all: readonly Volume[];
  readonly server: readonly Mount[];
  readonly #sources: readonly FileSource[];

  constructor({ server, pause, sidecars, initContainers }: PodProps) {
    const { data, writableTmp, volumes } = server;
    const isCopied = pause !== undefined && "image" in pause;
    this.#sources = distinct([server, ...initContainers, ...sidecars].flatMap(({ files }) => files));
    this.all = [
      ...(data === undefined
        ? []
        : [{ name: "data", ...("claim" in data ? claim(data.claim) : { emptyDir: { sizeLimit: data.sizeLimit } }) }]),
      ...volumes.map((volume) => ({ name: volume.name, ...source(volume) })),
      ...(writableTmp ? [{ name: "tmp", emptyDir: {} }] : []),
      ...(isCopied ? [{ name: PAUSE_MOUNT.name, emptyDir: { sizeLimit: "8Mi" } }] : []),
      ...this.#sources.map((source, index) => ({ name: `files-${index}`, ...contents(source) })),
    ];
    this.server = [
      ...(data === undefined ? [] : [{ name: "data", mountPath: data.folder }]),
      ...volumes.map(({ name, path }) => ({ name, mountPath: path })),
      ...(writableTmp ? [{ name: "tmp", mountPath: "/tmp" }] : []),
      ...(isCopied ? [{ ...PAUSE_MOUNT, readOnly: true }] : []),
      ...this.filesOf(server.files),
    ];
  }

  filesOf(files: readonly FileSource[]): Mount[] {
    return files.map((file) => ({
      name: `files-${this.#sources.findIndex((source) => idOf(source) === idOf(file))}`,
      mountPath: file.path,
      ...(file.key !== undefined && { subPath: file.key }),
      readOnly: true,
    }));
  }
}

const idOf = (source: FileSource) =>
  `${"secret" in source ? `secret ${source.secret}` : `config map ${source.configMap}`} ${source.optional}`;

/** Several files of one object need one volume. */
const distinct = (files: readonly FileSource[]) => [...new Map(files.map((file) => [idOf(file), file])).values()];

function source(volume: ServerVolume): Omit<Volume, "name"> {
  if ("claim" in volume) return claim(volume.claim);
  const { sizeLimit, memory } = volume;
  return { emptyDir: { ...(sizeLimit !== undefined && { sizeLimit }), ...(memory && { medium: "Memory" }) } };
}

const claim = (claimName: string) => ({ persistentVolumeClaim: { claimName } });

function contents(source: FileSource): Omit<Volume, "name"> {
  const optional = source.optional ? { optional: true } : {};
  return "secret" in source
    ? { secret: { secretName: source.secret, ...optional } }
    : { configMap: { name: source.configMap, ...optional } };
}
