import type { Color } from "./color.ts";

/**
 * The names of the objects in a cluster. Terraform creates them by these names, and a release finds them by the same; this
 * file is all that the two share besides the environment.
 */

export const COLOR_LABEL = "mcp-bluegreen/color";

/** In a pod template: the settings that the pods were staged with, as canonical JSON. See constructs/pod-settings.ts. */
export const SETTINGS_ANNOTATION = "mcp-bluegreen/settings";

/** In the ConfigMap of the wanted settings: the same JSON, as the environment has it now. */
export const WANTED_SETTINGS_KEY = "pod.json";

export const RECORD_ANNOTATION = "mcp-bluegreen/release";

/** On the Lease: the last releases that have ended, as a JSON array. */
export const HISTORY_ANNOTATION = "mcp-bluegreen/history";

/** The fence, on the Lease and on every object that a release changes: the epoch of the last holder of the lease. */
export const EPOCH_ANNOTATION = "mcp-bluegreen/epoch";

/** In a pod template: the mark of the stage that created the pods. */
export const MARK_ANNOTATION = "mcp-bluegreen/mark";

/** On a color's Deployment: the versions that the objects named by its pods had when it was staged, as a JSON object. */
export const REFERENCES_ANNOTATION = "mcp-bluegreen/references";

/** On the Job of a migration and its pods: the mark of the release that runs it. */
export const MIGRATION_LABEL = "mcp-bluegreen/migration";

/** The label of ours that every object has is in `Names.labels`; this is the annotation. See constructs/object-metadata.ts. */
export const MANAGED_ANNOTATION = "mcp-bluegreen/managed-by";

export const MANAGED_BY = "terraform";

/** On the namespace and the live Service: the environment that they belong to. */
export const ENVIRONMENT_LABEL = "mcp-bluegreen/environment";

export const APP_LABEL = "app.kubernetes.io/name";

/** The container of the server, among those of a pod. */
export const CONTAINER = "app";

/** The name of the MCP port, as Services and probes refer to it. */
export const MCP_PORT_NAME = "mcp";

/** The app's name if the environment has none. */
export const APP = "mcp-app";

/** The names of one app's objects in its namespace. */
export interface Names {
  /** The app itself, its service account and the live Service. Every object carries it as a label. */
  readonly app: string;
  readonly live: string;
  readonly preview: string;
  readonly serviceAccount: string;
  /** A color's Deployment, its autoscaler, its disruption budget and its own Service. */
  readonly color: (color: Color) => string;
  /** The Lease that lets one release run at a time, and that carries its record in an annotation. */
  readonly lease: string;
  /** A ConfigMap with the settings that the environment wants its pods to have. */
  readonly wantedSettings: string;
  /** The Job that runs the migration of the release with this mark. */
  readonly migration: (mark: string) => string;
  /** The Secret with one revision of the request-state key. */
  readonly requestStateSecret: (revision: number) => string;
  /** The Secret with one revision of Redis's URL. */
  readonly redisUrlSecret: (revision: number) => string;
  /** The Service for another port. */
  readonly service: (name: string) => string;
  /** The PersistentVolumeClaim of a volume, with its revision. */
  readonly claim: (volume: string, revision: number) => string;
  /** On every object, and what selects the pods of both colors. */
  readonly labels: Readonly<Record<string, string>>;
  /** What selects the pods of one color. */
  readonly colorLabels: (color: Color) => Readonly<Record<string, string>>;
}

export function namesOf(app: string): Names {
  // The default app had its objects before apps had names.
  const prefix = app === APP ? "mcp" : app;
  const labels = { [APP_LABEL]: app };
  return {
    app,
    live: app,
    preview: `${app}-preview`,
    serviceAccount: app,
    color: (color) => `${app}-${color}`,
    lease: `${prefix}-release`,
    wantedSettings: `${prefix}-pod-settings`,
    // A name has 63 characters, and its pods' names are longer; the whole mark is in a label.
    migration: (mark) => `${app}-migration-${mark.slice(-8)}`,
    requestStateSecret: (revision) => `${prefix}-request-state-r${revision}`,
    redisUrlSecret: (revision) => `${prefix}-redis-url-r${revision}`,
    service: (name) => `${app}-${name}`,
    claim: (volume, revision) => `${app}-${volume}-r${revision}`,
    labels,
    colorLabels: (color) => ({ ...labels, [COLOR_LABEL]: color }),
  };
}

interface Named {
  readonly name: string;
  readonly app: { readonly name: string };
}

/**
 * An app in an environment, as one name: what its stacks begin with, and its keys in a Redis that others use, too. That of
 * the default app is the environment's: it had its states and keys before apps had names.
 */
export const scopeName = ({ name, app }: Named): string => (app.name === APP ? name : `${name}-${app.name}`);

export const stackName = (environment: Named, part: string): string => `${scopeName(environment)}-${part}`;
