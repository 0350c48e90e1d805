import type { DataVolume, PodProps } from "../constructs/pod-props.ts";
import type { ServerVolume } from "../constructs/volumes.ts";
import type { Probe } from "../constructs/probe.ts";
import { COLORS } from "../environment/color.ts";
import { secondsOf } from "../environment/duration.ts";
import type { Environment } from "../environment/environment.ts";
import { withPorts } from "../environment/ports-in-command.ts";
import { scopeName, type Names } from "../environment/names.ts";
import { REDIS_URL, REQUEST_STATE_KEY } from "../constructs/revisioned-secret.ts";
import { requestStateRevisions } from "./request-state-revisions.ts";

/** What the server does in its grace besides waiting: sending the last bytes, closing the logs. */
const STOP_MARGIN_SECONDS = 5;

/** What Kubernetes gives a pod. */
const DEFAULT_GRACE_SECONDS = 30;

/** Where the container finds its volume for writes, if it has one. */
const DATA_DIR = "/data";

const DATA_GROUP = 65532;

type Described = Omit<Environment, "release">;

/** What an environment says about its pods. */
export function podProps(environment: Described, names: Names): PodProps {
  const { app, pod, server } = environment;
  const { probes } = server;
  const ports = { mcp: server.port, ...server.ports };
  const volumes = volumesOf(environment, names);
  return {
    server: {
      ports,
      command: server.command && withPorts(server.command, ports),
      args: server.args && withPorts(server.args, ports),
      colorVariable: server.variables.color,
      env: plainSettings(environment, names),
      envFromKeys: { ...app.settingsFrom, ...ownSecrets(environment, names) },
      envFrom: app.envFrom,
      files: app.files,
      resources: resourcesOf(app.resources),
      readOnlyRoot: pod.security.readOnlyRoot,
      data: dataOf(app.dataVolume),
      volumes,
      // What is writable as a whole has a folder of its own.
      writableTmp: server.writableTmp && pod.security.readOnlyRoot && !volumes.some(({ path }) => path === "/tmp"),
      probes: {
        startup: startupProbe(probes),
        readiness: { ...probes.readiness, ...often(probes.readiness, 2, 2) },
        liveness: { ...probes.liveness, ...often(probes.liveness, 10, 3) },
      },
    },
    initContainers: pod.initContainers.map(sidecarOf),
    sidecars: pod.sidecars.map(sidecarOf),
    labels: pod.labels,
    annotations: pod.annotations,
    serviceAccount: pod.serviceAccount.existing ?? names.serviceAccount,
    mountToken: pod.serviceAccount.mountToken,
    pullSecrets: pod.pullSecrets,
    pullPolicy: pod.pullPolicy,
    // Whatever user the image runs as, the group may write to its volume.
    security: {
      ...pod.security,
      fsGroup:
        pod.security.fsGroup ??
        (app.dataVolume !== undefined || volumes.some((volume) => "claim" in volume) ? DATA_GROUP : undefined),
    },
    scheduling: { ...pod, affinity: affinityOf(environment, names) },
    strategy: pod.strategy,
    pause: pauseOf(server.stop),
    graceSeconds: graceSeconds(environment),
  };
}

/** The settings of the environment, and what the kit tells the server in the variables that it has. */
function plainSettings({ name, namespace, app, ingress, server }: Described, names: Names): Record<string, string> {
  const { variables, stop } = server;
  const { redis, dataVolume } = app;
  const hosts = [
    ...new Set([
      ...app.allowedHosts,
      ...(ingress ? [ingress.host] : []),
      ...LOOPBACK,
      ...serviceHosts(names, namespace),
    ]),
  ];
  const told: readonly (readonly [string | undefined, string | undefined])[] = [
    [variables.dataDir, dataVolume && DATA_DIR],
    [variables.dataDurability, dataVolume && (dataVolume.type === "claim" ? "volume" : "pod")],
    // Several apps and environments may use one Redis; their breakers and caches must not.
    [variables.redisPrefix, redis && scopeName({ name, app })],
    [variables.redisCluster, redis && String(redis.cluster)],
    [variables.port, String(server.port)],
    ...Object.entries(variables.ports).map(([port, variable]) => [variable, String(server.ports[port])] as const),
    [variables.allowedHosts, hosts.join(",")],
    [variables.allowedOrigins, app.allowedOrigins.join(",")],
  ];
  return {
    ...stop.durations,
    ...app.settings,
    ...Object.fromEntries(
      told.flatMap(([variable, value]) => (variable === undefined || value === undefined ? [] : [[variable, value]])),
    ),
  };
}

/** The Secrets that Terraform makes. */
function ownSecrets({ app, server }: Described, names: Names): PodProps["server"]["envFromKeys"] {
  const { requestStateKey, redisUrl } = server.variables;
  const revisions = requestStateRevisions({ app, server });
  return {
    ...(requestStateKey !== undefined && {
      [requestStateKey]: {
        secret: names.requestStateSecret(Math.max(...revisions)),
        key: REQUEST_STATE_KEY.variable,
        optional: false,
      },
    }),
    ...(redisUrl !== undefined &&
      app.redis !== undefined && {
        [redisUrl]: {
          secret: names.redisUrlSecret(Math.max(...app.redis.urlRevisions)),
          key: REDIS_URL.variable,
          // A pod that finds it gone, as the environment no longer has a Redis, starts without: no call depends on it.
          optional: true,
        },
      }),
  };
}

const resourcesOf = ({ requests, limits: { cpu, memory = requests.memory } }: Environment["app"]["resources"]) => ({
  requests,
  limits: { ...(cpu !== undefined && { cpu }), memory },
});

const volumesOf = ({ volumes }: Described, names: Names) =>
  Object.entries(volumes).map(([name, volume]): ServerVolume => {
    const { path } = volume;
    switch (volume.type) {
      case "existing":
        return { name, path, claim: volume.claim };
      case "claim":
        return { name, path, claim: names.claim(name, Math.max(...volume.revisions)) };
      case "emptyDir":
        return { name, path, sizeLimit: volume.sizeLimit, memory: volume.memory };
    }
  });

/** A claim that one node may mount keeps the pods of both colors on it. */
function affinityOf({ pod: { affinity }, volumes }: Described, names: Names): PodProps["scheduling"]["affinity"] {
  const isOnOneNode = Object.values(volumes).some(
    (volume) => volume.type !== "emptyDir" && volume.accessMode === "ReadWriteOnce",
  );
  if (!isOnOneNode) return affinity;
  const beside = { labels: names.labels, namespaces: [], topologyKey: "kubernetes.io/hostname" };
  return { ...affinity, near: [...affinity.near, beside] };
}

const sidecarOf = ({ settings, settingsFrom, resources, ...container }: Environment["pod"]["sidecars"][number]) => ({
  ...container,
  env: settings,
  envFromKeys: settingsFrom,
  resources: resourcesOf(resources),
});

function dataOf(volume: Environment["app"]["dataVolume"]): DataVolume | undefined {
  if (volume === undefined) return undefined;
  const folder = DATA_DIR;
  return volume.type === "claim" ? { folder, claim: volume.claim } : { folder, sizeLimit: volume.sizeLimit };
}

type Probes = Environment["server"]["probes"];

/** Asks as often as it takes to use up the time to start. */
function startupProbe({ startup, readiness, startupSeconds }: Probes): Probe {
  const probe = startup ?? {
    ...readiness,
    periodSeconds: undefined,
    failureThreshold: undefined,
    initialDelaySeconds: 0,
  };
  const { periodSeconds = 1 } = probe;
  return { ...probe, ...often(probe, periodSeconds, Math.ceil(startupSeconds / periodSeconds)) };
}

const often = (probe: Probes["readiness"], periodSeconds: number, failureThreshold: number) => ({
  periodSeconds: probe.periodSeconds ?? periodSeconds,
  failureThreshold: probe.failureThreshold ?? failureThreshold,
});

type Stop = Environment["server"]["stop"];

function pauseOf(stop: Stop): PodProps["pause"] {
  switch (stop.pause) {
    case "own":
      return { command: stop.command };
    case "copied":
      return { image: stop.image, seconds: stop.pauseSeconds };
    case "none":
      return undefined;
  }
}

/** The kubelet counts from the start of the pause. */
function graceSeconds({ app, server: { stop } }: Described): number {
  if (stop.graceSeconds !== undefined) return stop.graceSeconds;
  const durations = Object.entries(stop.durations).map(([name, value]) => secondsOf(app.settings[name] ?? value) ?? 0);
  if (durations.length === 0) return DEFAULT_GRACE_SECONDS;
  const pause = stop.pause === "none" ? 0 : stop.pauseSeconds;
  return durations.reduce((sum, part) => sum + part, pause + STOP_MARGIN_SECONDS);
}

/** A port forward, which is how a release reaches the idle color, comes in under these. */
const LOOPBACK = ["localhost", "127.0.0.1"];

/** The names under which pods of this cluster find the Services. */
const serviceHosts = (names: Names, namespace: string) =>
  [names.live, names.preview, ...COLORS.map(names.color)].flatMap((service) =>
    ["", `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map((suffix) => service + suffix),
  );
