import { imageProblem } from "./image.ts";
import { isMoreThan } from "./quantity.ts";
import type { Problem, Rule } from "./rule.ts";
import { secretSetting } from "./secret-setting.ts";

/** Environment variables that have a field of their own, or that are not for an environment to set. */
const NOT_SETTINGS = new Map([
  ["APP_COLOR", "each color sets its own"],
  ["MCP_PORT", "the Services rely on it"],
  ["ADMIN_PORT", "the probes rely on it"],
  ["ALLOWED_HOSTS", "use app.allowedHosts"],
  ["ALLOWED_ORIGINS", "use app.allowedOrigins"],
  ["REQUEST_STATE_KEY", "it is a secret; see app.requestStateKeyRevisions"],
  ["DATA_DIR", "use app.dataVolume"],
  ["DATA_DURABILITY", "app.dataVolume says what it is"],
  ["REDIS_URL", "it is a secret; see app.redis"],
  ["REDIS_CLUSTER", "use app.redis.cluster"],
  ["OTEL_EXPORTER_OTLP_HEADERS", "it may hold a secret; send traces to a collector in the cluster, which adds it"],
]);

/** What tells the app who may call. Without it no pod would start. */
const WHO_MAY_CALL = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"];

const pinned: Rule = {
  reads: ["app.image", "app.imagePolicy"],
  problems: ({ app }) => {
    const message = imageProblem(app.image, app.imagePolicy);
    return message === undefined ? [] : [{ path: ["app", "image"], message }];
  },
};

const whoMayCall: Rule = {
  reads: ["app.settings", "app.settingsFrom"],
  problems: ({ app: { settings, settingsFrom } }) => {
    const missing = WHO_MAY_CALL.filter((setting) => !(setting in settings) && !(setting in settingsFrom));
    if (settings.AUTH_MODE === "off" || missing.length === 0) return [];
    const message = `must say who may call: ${missing.join(", ")}, or AUTH_MODE 'off' for anybody who reaches the port`;
    return [{ path: ["app", "settings"], message }];
  },
};

const ownFields: Rule = {
  reads: ["app.settings"],
  problems: ({ app: { settings } }) =>
    [...NOT_SETTINGS]
      .filter(([setting]) => setting in settings)
      .map(([setting, why]) => ({ path: ["app", "settings", setting], message: `cannot be set here: ${why}` })),
};

const replicas: Rule = {
  reads: ["scaling.minReplicas", "scaling.maxReplicas"],
  problems: ({ scaling: { minReplicas, maxReplicas } }) =>
    minReplicas <= maxReplicas
      ? []
      : [
          {
            path: ["scaling", "minReplicas"],
            message: `minReplicas (${minReplicas}) must be at most maxReplicas (${maxReplicas})`,
          },
        ],
};

const requestsWithinLimits: Rule = {
  reads: ["app.resources"],
  problems: ({ app: { resources } }) =>
    (["cpu", "memory"] as const).flatMap((kind): Problem[] => {
      const [request, limit] = [resources.requests[kind], resources.limits[kind]];
      if (limit === undefined || !isMoreThan(request, limit)) return [];
      const message = `the request '${request}' must be at most the limit '${limit}': lower it, or raise the limit`;
      return [{ path: ["app", "resources", "requests", kind], message }];
    }),
};

const noPlainSecrets: Rule = {
  reads: ["app.settings", "app.notSecret"],
  problems: ({ app: { settings, notSecret } }) =>
    Object.entries(settings).flatMap(([name, value]) => {
      const reason = notSecret.includes(name) ? undefined : secretSetting(name, value);
      if (reason === undefined) return [];
      const message =
        `looks like a secret (${reason}), and a plain setting is readable in states, plans and pods: remove it here and ` +
        `reference a Secret with app.settingsFrom: { ${name}: { secret: "…", key: "…" } }, ` +
        `or say app.notSecret: ["${name}"]`;
      return [{ path: ["app", "settings", name], message }];
    }),
};

const notSecretNamesSettings: Rule = {
  reads: ["app.settings", "app.notSecret"],
  problems: ({ app: { settings, notSecret } }) =>
    notSecret.flatMap((name, index): Problem[] =>
      name in settings ? [] : [{ path: ["app", "notSecret", index], message: `'${name}' is not among app.settings` }],
    ),
};

const oneSource: Rule = {
  reads: ["app.settings", "app.settingsFrom"],
  problems: ({ app: { settings, settingsFrom } }) =>
    Object.keys(settingsFrom)
      .filter((name) => name in settings)
      .map((name) => ({ path: ["app", "settingsFrom", name], message: "is also in app.settings: remove one of them" })),
};

/** All rules across fields. */
export const RULES: readonly Rule[] = [
  pinned,
  whoMayCall,
  ownFields,
  replicas,
  requestsWithinLimits,
  noPlainSecrets,
  notSecretNamesSettings,
  oneSource,
];
