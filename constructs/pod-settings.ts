/** All that an environment says about its pods, and a release brings to them: the same for both colors, nothing of it secret. */
export interface PodSettings {
  /** Environment variables of the app. */
  readonly env: Readonly<Record<string, string>>;

  /** Environment variables whose values are in objects of the namespace. */
  readonly envFromKeys: Readonly<Record<string, KeyReference>>;

  /** Kubernetes quantities. */
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly cpu?: string; readonly memory: string };
  };

  readonly secret: {
    readonly requestStateKeyRevision: number;
    /** Absent: pods share nothing. */
    readonly redisUrlRevision?: number;
  };

  /** A volume to write to; absent: there is none. */
  readonly data?: { readonly sizeLimit: string } | { readonly claim: string };

  readonly probes: {
    /** Time for a new pod to come up before it is started afresh. */
    readonly startupSeconds: number;
    readonly readinessPeriodSeconds: number;
    readonly livenessPeriodSeconds: number;
  };

  readonly shutdown: {
    /** Time for every node to learn that a pod gets no new connections, before the app hears that it has to stop. */
    readonly preStopSeconds: number;
    /** Time that the app's drain may take after that; what is left then is killed. */
    readonly drainSeconds: number;
  };
}

/** One value of an object in the namespace. */
export type KeyReference = { readonly key: string; readonly optional: boolean } & (
  { readonly secret: string } | { readonly configMap: string }
);

/** The settings by one name each, such as `env.LOG_LEVEL`, in the order of these names: equal settings are equal texts. */
export function flatten(settings: PodSettings): Record<string, string> {
  return Object.fromEntries(named("", settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function named(path: string, value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([name, part]) => named(path === "" ? name : `${path}.${name}`, part));
}
