import { APP, MCP_PORT_NAME, namesOf } from "../environment/names.ts";

const ofDefaultApp = namesOf(APP);

/** The names of the default app. */
export const LIVE_SERVICE = ofDefaultApp.live;
export const PREVIEW_SERVICE = ofDefaultApp.preview;
export const RELEASE_LEASE = ofDefaultApp.lease;
export const WANTED_SETTINGS = ofDefaultApp.wantedSettings;
export const colorName = ofDefaultApp.color;
export const appLabels = () => ofDefaultApp.labels;
export const colorLabels = ofDefaultApp.colorLabels;

/** The ports of the bundled app. */
export const PORTS = { mcp: { name: MCP_PORT_NAME, number: 8080 }, admin: { name: "admin", number: 9090 } } as const;
