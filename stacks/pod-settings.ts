import type { PodSettings } from "../constructs/pod-settings.ts";
import { InvalidEnvironment, type Environment } from "../environment/environment.ts";
import { colorName, DATA_DIR, LIVE_SERVICE, PORTS, PREVIEW_SERVICE } from "../environment/names.ts";
import { COLORS } from "../environment/color.ts";

/** Nodes learn of a pod that leaves within a second or two; kube-proxy gathers changes for up to one. */
const PRE_STOP_SECONDS = 5;

/** What the app does besides waiting: sending the last bytes, closing the logs. */
const DRAIN_MARGIN_SECONDS = 5;

/** The app's own defaults, said here so that the grace period is known to hold them. */
const DRAIN_DEFAULTS = { DRAIN_DELAY: "0s", DRAIN_TIMEOUT: "20s" };

/**
 * What an environment says about its pods.
 *
 * @throws InvalidEnvironment when the time that a drain takes cannot be told from the settings
 */
export function podSettings({ name, namespace, app }: Omit<Environment, "release">): PodSettings {
  const drain = { ...DRAIN_DEFAULTS, ...app.settings };
  const drainSeconds = (["DRAIN_DELAY", "DRAIN_TIMEOUT"] as const)
    .map((setting) => seconds(drain[setting], `environment '${name}': app.settings.${setting}`))
    .reduce((sum, part) => sum + part, DRAIN_MARGIN_SECONDS);

  return {
    env: {
      ...(app.dataVolume && {
        DATA_DIR,
        DATA_DURABILITY: app.dataVolume.type === "claim" ? "volume" : "pod",
      }),
      // Two environments may use one Redis; their breakers and caches must not.
      ...(app.redis && { REDIS_PREFIX: name, REDIS_CLUSTER: String(app.redis.cluster) }),
      ...drain,
      MCP_PORT: String(PORTS.mcp.number),
      ADMIN_PORT: String(PORTS.admin.number),
      ALLOWED_HOSTS: [...new Set([...app.allowedHosts, ...LOOPBACK, ...serviceHosts(namespace)])].join(","),
      ALLOWED_ORIGINS: app.allowedOrigins.join(","),
    },
    envFromKeys: app.settingsFrom,
    resources: resourcesOf(app.resources),
    secret: {
      requestStateKeyRevision: Math.max(...app.requestStateKeyRevisions),
      ...(app.redis && { redisUrlRevision: Math.max(...app.redis.urlRevisions) }),
    },
    ...dataOf(app.dataVolume),
    probes: { startupSeconds: 30, readinessPeriodSeconds: 2, livenessPeriodSeconds: 10 },
    shutdown: { preStopSeconds: PRE_STOP_SECONDS, drainSeconds },
  };
}

const resourcesOf = ({ requests, limits: { cpu, memory = requests.memory } }: Environment["app"]["resources"]) => ({
  requests,
  limits: { ...(cpu !== undefined && { cpu }), memory },
});

function dataOf(volume: Environment["app"]["dataVolume"]): Pick<PodSettings, "data"> {
  if (volume === undefined) return {};
  return { data: volume.type === "claim" ? { claim: volume.claim } : { sizeLimit: volume.sizeLimit } };
}

/** A port forward, which is how a release reaches the idle color, comes in under these. */
const LOOPBACK = ["localhost", "127.0.0.1"];

/** The names under which pods of this cluster find the Services. */
const serviceHosts = (namespace: string) =>
  [LIVE_SERVICE, PREVIEW_SERVICE, ...COLORS.map(colorName)].flatMap((service) =>
    ["", `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map((suffix) => service + suffix),
  );

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** The seconds that a duration such as `500ms`, `20s` or `5m` takes, rounded up. */
function seconds(duration: string, what: string): number {
  const { amount, unit } = /^(?<amount>\d+)(?<unit>ms|s|m|h)$/.exec(duration)?.groups ?? {};
  if (amount === undefined || unit === undefined) {
    throw new InvalidEnvironment(`${what} must be a whole number and a unit ('500ms', '20s', '5m'), not '${duration}'`);
  }
  return Math.ceil(Number(amount) * SECONDS[unit as keyof typeof SECONDS]);
}
