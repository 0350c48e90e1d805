import { describe, expect, it } from "@jest/globals";
import { App, Testing } from "cdktf";
import { bundledServer } from "../../environment/bundled-server.ts";
import { environment, InvalidEnvironment } from "../../environment/environment.ts";
import { namesOf } from "../../environment/names.ts";
import { notes } from "../../environment/notes.ts";
import { PAUSE_IMAGE } from "../../environment/schema/stop.ts";
import local from "../../environments/local.ts";
import { BlueGreenApp } from "../../stacks/blue-green-app.ts";
import { podProps } from "../../stacks/pods.ts";
import { withServer } from "./a-server.ts";
import { allResources, resourceOf, stackOf, synthesize, type Stack } from "./synthesized.ts";

interface Pod {
  readonly container: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

const podOf = (stack: Stack): Pod =>
  (resourceOf(stack, "kubernetes_deployment_v1").spec as { template: { spec: Pod } }).template.spec;

const pod = (...args: Parameters<typeof withServer>) => podOf(stackOf(synthesize(withServer(...args)), "blue"));

describe("the bundled app", () => {
  it("is a server like any other: its description, given, changes nothing", () => {
    const given = environment({ ...local, server: bundledServer() });

    expect(synthesize(given)).toEqual(synthesize(local));
    expect(notes(given)).toEqual(notes(local));
  });
});

describe("a server of which nothing is said but its sessions", () => {
  const [container] = pod().container;

  it("gets none of the bundled app's variables, ports, secrets and paths", () => {
    expect(container).toMatchObject({ port: [{ name: "mcp", container_port: 8080, protocol: "TCP" }], env: [] });
    expect(JSON.stringify(synthesize(withServer()))).not.toMatch(/request-state|readyz|MCP_PORT|9090|AUTH_/);
  });

  it("is probed by connections to its MCP port, since a kubelet cannot POST", () => {
    const connection = { tcp_socket: [{ port: "mcp" }], timeout_seconds: 2 };

    expect(container).toMatchObject({
      startup_probe: { ...connection, period_seconds: 1, failure_threshold: 60 },
      readiness_probe: { ...connection, period_seconds: 2, failure_threshold: 2 },
      liveness_probe: { ...connection, period_seconds: 10, failure_threshold: 3 },
    });
  });

  it("waits before it stops with a program that an init container copies, whatever its image contains", () => {
    const of = pod();

    expect(of).toMatchObject({
      termination_grace_period_seconds: 30,
      init_container: [
        {
          name: "copy-sleep",
          image: PAUSE_IMAGE,
          command: ["/bin/busybox", "cp", "/bin/busybox", "/mcp-bluegreen/sleep"],
          volume_mount: [{ name: "pause", mount_path: "/mcp-bluegreen" }],
          security_context: { run_as_non_root: true, run_as_user: "65532", read_only_root_filesystem: true },
        },
      ],
      volume: [
        { name: "tmp", empty_dir: {} },
        { name: "pause", empty_dir: { size_limit: "8Mi" } },
      ],
    });
    expect(of.container[0]).toMatchObject({
      lifecycle: { pre_stop: [{ exec: { command: ["/mcp-bluegreen/sleep", "5"] } }] },
      volume_mount: [
        { name: "tmp", mount_path: "/tmp" },
        { name: "pause", mount_path: "/mcp-bluegreen", read_only: true },
      ],
    });
    expect(PAUSE_IMAGE).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  it("has no port for metrics to open", () => {
    const policies = allResources(synthesize(withServer())).filter(
      ({ type }) => type === "kubernetes_network_policy_v1",
    );

    expect(policies.map(({ resource }) => resource.metadata.name)).toEqual([
      "default-deny",
      "mcp-app-clients",
      "mcp-app-egress",
    ]);
  });
});

describe("a server's description", () => {
  it("says its port, its other ports, its arguments and the port of its Services", () => {
    const stacks = synthesize(
      withServer({
        port: 3000,
        ports: { metrics: 9102 },
        servicePort: 8000,
        command: ["python"],
        args: ["-m", "server", "--transport", "streamable-http"],
        variables: { port: "FASTMCP_PORT", ports: { metrics: "METRICS_PORT" } },
        metrics: { port: "metrics", histogram: "calls_seconds" },
      }),
    );

    expect(podOf(stackOf(stacks, "blue")).container[0]).toMatchObject({
      command: ["python"],
      args: ["-m", "server", "--transport", "streamable-http"],
      port: [
        { name: "mcp", container_port: 3000 },
        { name: "metrics", container_port: 9102 },
      ],
      env: [
        { name: "FASTMCP_PORT", value: "3000" },
        { name: "METRICS_PORT", value: "9102" },
      ],
    });
    for (const part of ["blue", "traffic"]) {
      for (const { spec } of Object.values(stackOf(stacks, part).resource.kubernetes_service_v1 ?? {})) {
        expect(spec.port).toMatchObject([{ port: 8000, target_port: "mcp" }]);
      }
    }
    const policies = stackOf(stacks, "platform");
    expect(JSON.stringify(resourceOf(policies, "kubernetes_network_policy_v1", "mcp-app-clients"))).toContain('"3000"');
    expect(JSON.stringify(resourceOf(policies, "kubernetes_network_policy_v1", "mcp-app-admin"))).toContain('"9102"');
  });

  it("says how it is probed, and how long it may take to start", () => {
    const probes = {
      startupSeconds: 90,
      startup: { type: "exec", command: ["python", "ready.py"], periodSeconds: 4 },
      readiness: {
        type: "http",
        path: "/ready",
        headers: { Accept: "text/plain" },
        periodSeconds: 5,
        failureThreshold: 6,
      },
      liveness: { type: "grpc", port: 9000, service: "live", initialDelaySeconds: 30, timeoutSeconds: 5 },
    };

    expect(pod({ probes }).container[0]).toMatchObject({
      startup_probe: { exec: { command: ["python", "ready.py"] }, period_seconds: 4, failure_threshold: 23 },
      readiness_probe: {
        http_get: { path: "/ready", port: "mcp", http_header: [{ name: "Accept", value: "text/plain" }] },
        period_seconds: 5,
        failure_threshold: 6,
      },
      liveness_probe: { grpc: [{ port: 9000, service: "live" }], initial_delay_seconds: 30, timeout_seconds: 5 },
    });
  });

  it("says how it stops: by a program of its own, or without a pause, and in what time", () => {
    const own = pod({ stop: { pause: "own", command: ["/bin/sleep", "7"], pauseSeconds: 7, graceSeconds: 900 } });
    expect(own).toMatchObject({ termination_grace_period_seconds: 900 });
    expect(own.container[0]).toMatchObject({
      lifecycle: { pre_stop: [{ exec: { command: ["/bin/sleep", "7"] } }] },
    });

    const none = pod({ stop: { pause: "none" } });
    expect(none.container[0]).not.toHaveProperty("lifecycle");
    expect(none).not.toHaveProperty("init_container");
  });

  it("lets an environment's settings be its own: none is validated but by the server's own check", () => {
    const checkSettings = (settings: Readonly<Record<string, string>>) => ("A" in settings ? [] : ["must say A"]);

    expect(withServer({}, { app: { settings: { AUTH_MODE: "whatever", DATA_DIR: "/x" } } }).app.settings).toEqual({
      AUTH_MODE: "whatever",
      DATA_DIR: "/x",
    });
    expect(() => withServer({ checkSettings })).toThrow("app.settings: must say A");
  });

  it("says which of its variables name what it connects to, and the network lets it", () => {
    const of = withServer(
      { asks: ["GRAFANA_URL", "DATABASE"] },
      { app: { settings: { GRAFANA_URL: "http://grafana:3000", DATABASE: "postgres://db/app" } } },
    );
    const { spec } = resourceOf(stackOf(synthesize(of), "platform"), "kubernetes_network_policy_v1", "mcp-app-egress");

    expect(JSON.stringify(spec)).toMatch(/"3000".*"5432"/);
  });

  it.each([
    [
      "no word about sessions",
      { sessions: undefined },
      "server.sessions: is missing: 'memory' if the server keeps sessions",
    ],
    [
      "sessions in memory of several pods",
      { sessions: "memory" },
      "server.sessions: with sessions in memory, 4 pods answer each other's sessions with 404: turn sessions off in the server " +
        "(FastMCP: FASTMCP_STATELESS_HTTP=true) and say 'none', use one pod, or service.sessionAffinity 'clientIp'",
    ],
    [
      "a GET of its MCP endpoint",
      { probes: { readiness: { type: "http", path: "/mcp/" } } },
      'server.probes.readiness: an MCP endpoint answers GET /mcp/ with 400, 405 or 406: use another path, { type: "tcp" }',
    ],
    [
      "a port that does not exist",
      { probes: { readiness: { type: "tcp", port: "admin" } } },
      "server.probes.readiness.port: there is no port 'admin'; there are: mcp",
    ],
    ["a port twice", { ports: { metrics: 8080 } }, "server.ports.metrics: port 8080 is also 'mcp'"],
    ["a port's name", { ports: { Metrics_Port: 9090 } }, "'Metrics_Port' is not a port's name"],
    [
      "a program that waits, without the program",
      { stop: { pause: "own" } },
      "server.stop.command: is missing: the program of",
    ],
    [
      "no such way to stop",
      { stop: { pause: "sleep" } },
      "server.stop.pause: must be 'copied' or 'own' or 'none', not 'sleep'",
    ],
    [
      "a pause as long as its grace",
      { stop: { pause: "copied", graceSeconds: 5 } },
      "server.stop.graceSeconds: must be more than the pause (5 s), not 5",
    ],
    [
      "a password among its arguments",
      { args: ["--db", "postgres://u:hunter2@db/x"] },
      "server.args.1: looks like a secret (it is a URL with a password): reference it with app.settingsFrom and write $(NAME) here",
    ],
    ["a revision of MCP", { protocolVersions: ["2"] }, "server.protocolVersions.0: must be a revision of MCP such as"],
  ])("is refused with %s", (_, server, message) => {
    expect(() => withServer(server)).toThrow(InvalidEnvironment);
    expect(() => withServer(server)).toThrow(message);
  });

  it.each([
    [
      { allowedHosts: ["a.example"] },
      "app.allowedHosts: the server would not learn of it: name its variable in server.variables.allowedHosts",
    ],
    [{ redis: {} }, "app.redis: the server would not learn of it"],
    [{ requestStateKeyRevisions: [1] }, "app.requestStateKeyRevisions: the server would not learn of it"],
    [{ name: "mcp" }, "app.name: 'mcp' would share names with the default app"],
  ])("refuses %j of an app that has no variable for it", (app, message) => {
    expect(() => withServer({}, { app })).toThrow(message);
  });

  it("refuses to set what the kit sets, by its variables", () => {
    const variables = { port: "PORT", color: "COLOR" };

    expect(() => withServer({ variables }, { app: { settings: { PORT: "1", COLOR: "x" } } })).toThrow(
      "app.settings.PORT: cannot be set here: the Services rely on it\n  app.settings.COLOR: cannot be set here: each color sets",
    );
    expect(() => withServer({ variables }, { app: { settingsFrom: { PORT: { secret: "a", key: "b" } } } })).toThrow(
      "app.settingsFrom.PORT: cannot be set here",
    );
  });
});

describe("sessions in memory", () => {
  it("need one pod, or one pod for each client's address", () => {
    const scaling = { replicas: 1 };
    expect(withServer({ sessions: "memory" }, { scaling }).server.sessions).toBe("memory");

    const affine = withServer({ sessions: "memory" }, { service: { type: "ClusterIP", sessionAffinity: "clientIp" } });
    const { spec } = resourceOf(stackOf(synthesize(affine), "traffic"), "kubernetes_service_v1", "mcp-app");
    expect(spec.session_affinity).toBe("ClientIP");
  });
});

describe("the notes on an environment", () => {
  it("say what its server makes of a switch and of a pod that ends", () => {
    const service = { type: "ClusterIP", sessionAffinity: "clientIp" };
    const of = withServer({ sessions: "memory", connections: "kept", stop: { pause: "none" } }, { service });

    expect(notes(of)).toEqual([
      expect.stringContaining("a switch ends every session"),
      expect.stringContaining(
        "clients stay with the old version until its pods end, and may lose a call each; an Ingress",
      ),
      expect.stringContaining(
        "calls may fail whenever a live pod ends (scale-down, drain, eviction); a switch ends none",
      ),
    ]);
  });
});

describe("two apps", () => {
  const ALONE = { change: {}, cluster: { files: [] } };
  const weather = withServer(
    {},
    {
      name: "local",
      createNamespace: false,
      app: { name: "weather" },
      scaling: { minReplicas: 2, maxReplicas: 9, cpuPercent: 80 },
    },
  );

  it("stand in one cdktf App and in one namespace, each with its own bounds, names and labels", () => {
    const app = new App(Testing.app());
    for (const environment of [local, weather]) new BlueGreenApp(app, environment, ALONE);

    expect(app.node.findAll().flatMap(({ node }) => node.validate())).toEqual([]);
    expect(app.node.children.map(({ node }) => node.id)).toEqual(
      expect.arrayContaining([
        "local-platform",
        "local-weather-platform",
        "local-weather-blue",
        "local-weather-traffic",
      ]),
    );
    const names = (of: typeof local) =>
      allResources(synthesize(of)).map(({ type, resource }) => `${type} ${resource.metadata.name}`);
    const shared = names(weather).filter((name) => names(local).includes(name));
    expect(shared).toEqual([]);
    expect(JSON.stringify(synthesize(weather))).not.toContain("mcp-app");
  });

  it("have keys of their own in one Redis", () => {
    const variables = { redisUrl: "REDIS_URL", redisPrefix: "PREFIX" };
    const prefix = (name?: string) => {
      const of = withServer({ variables }, { app: { redis: {}, ...(name !== undefined && { name }) } });
      return podProps(of, namesOf(of.app.name)).server.env.PREFIX;
    };

    expect([prefix(), prefix("weather")]).toEqual(["local", "local-weather"]);
  });
});
