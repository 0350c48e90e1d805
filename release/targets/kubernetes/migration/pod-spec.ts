import { z } from "zod";
import { CONTAINER } from "../../../../environment/names.ts";

const json = z.unknown().optional();
const list = z.array(z.unknown()).optional();

/** The parts of the settings of pods that a migration needs. Keys are those of Terraform's provider: lists are in the singular. */
const settingsSchema = z.object({
  imagePullPolicy: json,
  env: list,
  envFrom: list,
  resources: json,
  securityContext: json,
  volumeMount: list,
  pod: z.object({
    labels: z.record(z.string(), z.string()).default({}),
    serviceAccountName: z.string(),
    automountServiceAccountToken: json,
    enableServiceLinks: json,
    securityContext: z.record(z.string(), z.unknown()).default({}),
    imagePullSecrets: list,
    priorityClassName: json,
    runtimeClassName: json,
    nodeSelector: json,
    toleration: z.array(z.record(z.string(), z.unknown())).optional(),
    affinity: json,
    volume: list,
  }),
});

interface Migrating {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** The program gets it as `RELEASE_MARK`. */
  readonly mark: string;
}

export interface MigrationPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: object;
}

/**
 * The pod of a migration: the server's container with another command, on the same volumes and as the same account.
 *
 * @param settings those that the candidate's pods will have: the JSON of constructs/pod-settings.ts
 * @throws ZodError if it is something else
 */
export function migrationPod(settings: unknown, { image, command, args, mark }: Migrating): MigrationPod {
  const { pod, volumeMount: volumeMounts, ...container } = settingsSchema.parse(settings);
  const env = [...(container.env ?? []), { name: "RELEASE_MARK", value: mark }];
  const { labels, toleration, affinity, volume: volumes, securityContext, ...rest } = pod;
  const spec = {
    ...rest,
    restartPolicy: "Never",
    securityContext: withNumbers(securityContext, ["runAsUser", "runAsGroup", "fsGroup"]),
    tolerations: toleration?.map((one) => withNumbers(one, ["tolerationSeconds"])),
    affinity: asInApi(affinity),
    volumes,
    containers: [
      { ...container, env, name: CONTAINER, image, command, args, volumeMounts, readinessProbe: NEVER_READY },
    ],
  };
  return { labels, spec };
}

/** The pod has the app's label, for its network policies. A pod that is not ready gets no calls of Services that select by it. */
const NEVER_READY = { tcpSocket: { port: 1 }, initialDelaySeconds: 1_000_000 };

/** Terraform's provider has numbers as texts here, because these may be unset. */
const withNumbers = (value: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(value).map(([name, of]) => [name, names.includes(name) ? Number(of) : of]));

/** Terraform's blocks in an affinity, as the API has them. */
function asInApi(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asInApi);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => {
      if (key === "nodeSelectorTerm") return ["nodeSelectorTerms", asInApi(part)];
      return [key, asInApi(key === "labelSelector" && Array.isArray(part) ? part[0] : part)];
    }),
  );
}
