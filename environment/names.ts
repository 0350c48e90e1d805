import type { Color } from "./color.ts";

/**
 * What the objects in a cluster are called. Terraform creates them by these names and a release finds them by the same; this file
 * is all that the two share besides the environment.
 */

/** The app's name: the live Service is called this, and every object of the app carries it as a label. */
export const APP = "mcp-app";

export const COLOR_LABEL = "mcp-bluegreen/color";

/** In a pod template: the settings that the pods were staged with, as a JSON object. */
export const SETTINGS_ANNOTATION = "mcp-bluegreen/settings";

/** A ConfigMap whose data are the settings that the environment wants its pods to have, by the same names. */
export const WANTED_SETTINGS = "mcp-pod-settings";

/** The Lease that lets one release run at a time, and that carries its record in the annotation below. */
export const RELEASE_LEASE = "mcp-release";

export const RECORD_ANNOTATION = "mcp-bluegreen/release";

/** On the Lease: the last releases that have ended, as a JSON array. */
export const HISTORY_ANNOTATION = "mcp-bluegreen/history";

/** The fence, on the Lease and on every object that a release changes: the epoch of the last holder of the lease. */
export const EPOCH_ANNOTATION = "mcp-bluegreen/epoch";

/** In a pod template: the mark of the stage that created the pods. */
export const MARK_ANNOTATION = "mcp-bluegreen/mark";

/** The label of ours that every object has is in `appLabels`; this is the annotation. See constructs/object-metadata.ts. */
export const MANAGED_ANNOTATION = "mcp-bluegreen/managed-by";

export const MANAGED_BY = "terraform";

/** Ports by name, as Services and probes refer to them. */
export const PORTS = { mcp: { name: "mcp", number: 8080 }, admin: { name: "admin", number: 9090 } } as const;

export const CONTAINER = "app";

/** Where the container finds its volume, if it has one. */
export const DATA_DIR = "/data";

/** A color's Deployment, its autoscaler, its disruption budget and its own Service. */
export const colorName = (color: Color): string => `${APP}-${color}`;

export const LIVE_SERVICE = APP;

export const PREVIEW_SERVICE = `${APP}-preview`;

export const APP_LABEL = "app.kubernetes.io/name";

/** What selects the pods of both colors. */
export const appLabels = (): Record<string, string> => ({ [APP_LABEL]: APP });

/** What selects the pods of one color. */
export const colorLabels = (color: Color): Record<string, string> => ({ ...appLabels(), [COLOR_LABEL]: color });

/** The Secret with one revision of the request-state key. */
export const requestStateSecret = (revision: number): string => `mcp-request-state-r${revision}`;

/** The Secret with one revision of Redis's URL. */
export const redisUrlSecret = (revision: number): string => `mcp-redis-url-r${revision}`;
