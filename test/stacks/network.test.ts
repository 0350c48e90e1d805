import { describe, expect, it } from "@jest/globals";
import { notes } from "../../environment/notes.ts";
import { namesOf } from "../../environment/names.ts";
import { podProps } from "../../stacks/pods.ts";
import local from "../../environments/local.ts";
import { withServer } from "./a-server.ts";
import { allResources, localWith, resourceOf, stackOf, synthesize, type Resource } from "./synthesized.ts";

const SERVICE = "kubernetes_service_v1";
const INGRESS = "kubernetes_ingress_v1";
const POLICY = "kubernetes_network_policy_v1";

const traffic = (fields: Record<string, unknown>) => stackOf(synthesize(withServer({}, fields)), "traffic");
const live = (service: object) => resourceOf(traffic({ service }), SERVICE, "mcp-app");

describe("the live Service of an environment", () => {
  it("is a load balancer that no deploy waits for, with annotations for its controller", () => {
    const annotations = { "example.com/scheme": "internal" };
    const service = { type: "LoadBalancer", class: "example.com/lb", sourceRanges: ["10.0.0.0/8"], annotations };

    expect(live(service)).toMatchObject({
      metadata: { annotations: { ...annotations, "mcp-bluegreen/managed-by": "terraform" } },
      wait_for_load_balancer: false,
      spec: {
        type: "LoadBalancer",
        load_balancer_class: "example.com/lb",
        load_balancer_source_ranges: ["10.0.0.0/8"],
        external_traffic_policy: "Cluster",
      },
      lifecycle: { ignore_changes: ["spec[0].selector"] },
    });
  });

  it("is inside the cluster, with annotations, and the preview and the colors have none of them", () => {
    const service = { type: "ClusterIP", annotations: { "example.com/a": "b" } };
    const services = allResources(synthesize(withServer({}, { service }))).filter(({ type }) => type === SERVICE);

    const annotated = services.filter(({ resource }) => JSON.stringify(resource.metadata).includes("example.com/a"));
    expect(annotated.map(({ resource }) => resource.metadata.name)).toEqual(["mcp-app"]);
  });

  it("has Services for other ports beside it, which select the pods of both colors", () => {
    const fields = { services: { metrics: { port: 9102, annotations: { "example.com/scrape": "true" } } } };

    expect(resourceOf(traffic(fields), SERVICE, "mcp-app-metrics")).toMatchObject({
      metadata: { annotations: { "example.com/scrape": "true" } },
      spec: {
        selector: { "app.kubernetes.io/name": "mcp-app" },
        port: [{ name: "metrics", port: 9102, target_port: "9102" }],
      },
    });
    expect(() => traffic({ services: { preview: { port: 1 } } })).toThrow(
      "services.preview: 'preview' is a Service of the kit",
    );
    expect(() => traffic({ services: { metrics: { port: 1, targetPort: "metrics" } } })).toThrow(
      "services.metrics.targetPort: there is no port 'metrics'; there are: mcp",
    );
  });
});

describe("an Ingress", () => {
  const ingress = {
    class: "traefik",
    host: "mcp.example.com",
    tlsSecret: "mcp-tls",
    annotations: { "traefik.ingress.kubernetes.io/router.tls": "true" },
  };
  const of = (change: object = {}): Resource => resourceOf(traffic({ ingress: { ...ingress, ...change } }), INGRESS);

  it("sends the requests of a host to the live Service, with TLS", () => {
    expect(of()).toMatchObject({
      metadata: { annotations: { ...ingress.annotations, "mcp-bluegreen/managed-by": "terraform" } },
      wait_for_load_balancer: false,
      spec: {
        ingress_class_name: "traefik",
        tls: [{ hosts: ["mcp.example.com"], secret_name: "mcp-tls" }],
        rule: [
          {
            host: "mcp.example.com",
            http: {
              path: [
                { path: "/", path_type: "Prefix", backend: { service: { name: "mcp-app", port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    });
  });

  it("is never updated, since an update would remove what controllers wrote: a change is a new one, made first", () => {
    expect(of().lifecycle).toEqual({
      create_before_destroy: true,
      ignore_changes: ["spec", "metadata[0].annotations", "metadata[0].labels"],
    });
    const name = (change: object) => of(change).metadata.name;
    expect(name({})).toMatch(/^mcp-app-[0-9a-f]{8}$/);
    expect(name({})).toBe(name({}));
    const changes = [
      { host: "other.example.com" },
      { annotations: {} },
      { class: "other" },
      { tlsSecret: "other" },
      { path: "/mcp" },
    ];
    expect(new Set([{}, ...changes].map(name)).size).toBe(6);
  });

  it("is deleted before its successor is made where the controller admits no two of a host", () => {
    expect(of({ class: "nginx" }).lifecycle).toMatchObject({ create_before_destroy: false });
    expect(of({ class: "nginx", overlap: true }).lifecycle).toMatchObject({ create_before_destroy: true });
  });

  it("names a host that the server accepts", () => {
    const hosts = podProps({ ...local, ingress: withServer({}, { ingress }).ingress }, namesOf("mcp-app")).server.env
      .ALLOWED_HOSTS;

    expect(hosts?.split(",")).toContain("mcp.example.com");
  });

  it("makes kept connections no reason for a note, and sessions in memory one for a single pod", () => {
    expect(notes(withServer({ connections: "kept" }, { ingress }))).toEqual([]);

    const service = { type: "ClusterIP", sessionAffinity: "clientIp" };
    expect(() => withServer({ sessions: "memory" }, { ingress, service })).toThrow(
      "or use one pod: an Ingress chooses a pod for each request, whatever service.sessionAffinity says",
    );
    expect(withServer({ sessions: "memory" }, { ingress, scaling: { replicas: 1 } }).scaling.maxReplicas).toBe(1);
  });

  it.each([
    [{ host: "MCP.example.com" }, "ingress.host: 'MCP.example.com' is not an object's name"],
    [{ host: undefined }, "ingress.host: is missing: the host name that clients use"],
    [{ path: "mcp" }, "ingress.path: must be a path such as '/'"],
  ])("is refused with %j", (change, message) => {
    expect(() => of(change)).toThrow(message);
  });
});

describe("a namespace that exists", () => {
  const stacks = synthesize(
    withServer({ ports: { metrics: 9102 }, metrics: { port: "metrics", histogram: "h" } }, { createNamespace: false }),
  );
  const { data, resource } = stackOf(stacks, "platform");
  const policies = Object.values(resource[POLICY] ?? {});

  it("is not made, and everything else is made in it", () => {
    expect(resource).not.toHaveProperty("kubernetes_namespace_v1");
    const [found] = Object.entries(data?.kubernetes_namespace_v1 ?? {});
    expect(found?.[1]).toMatchObject({ metadata: { name: "mcp-local" } });
    const its = `\${data.kubernetes_namespace_v1.${found?.[0]}.metadata[0].name}`;
    for (const { resource: made } of allResources(stacks))
      expect(["mcp-local", its]).toContain(made.metadata.namespace);
  });

  it("keeps its other programs as they are: each policy selects this app's pods alone", () => {
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual([
      "mcp-app-admin",
      "mcp-app-clients",
      "mcp-app-default-deny",
      "mcp-app-egress",
    ]);
    for (const { spec } of policies) {
      expect(spec.pod_selector).toEqual({ match_labels: { "app.kubernetes.io/name": "mcp-app" } });
    }
    const admin = resourceOf(stackOf(stacks, "platform"), POLICY, "mcp-app-admin");
    expect(JSON.stringify(admin.spec.ingress)).not.toContain('"pod_selector"');
  });
});

describe("the network of an environment", () => {
  const policy = (network: object, name: string) =>
    resourceOf(stackOf(synthesize(localWithNetwork(network)), "platform"), POLICY, name).spec;
  const localWithNetwork = (network: object) => withServer({}, { network });
  const namespace = (name: string) => ({
    namespace_selector: { match_labels: { "kubernetes.io/metadata.name": name } },
  });

  it("lets in those that it names, and otherwise anybody", () => {
    const clients = { namespaces: ["ingress-nginx"], cidrs: ["10.0.0.0/8"] };

    expect(policy({ clients }, "mcp-app-clients").ingress).toEqual([
      {
        from: [namespace("ingress-nginx"), { ip_block: { cidr: "10.0.0.0/8" } }],
        ports: [{ port: "8080", protocol: "TCP" }],
      },
    ]);
    expect(policy({}, "mcp-app-clients").ingress).toEqual([{ ports: [{ port: "8080", protocol: "TCP" }] }]);
  });

  it("lets pods out to what it names, besides names and HTTPS", () => {
    const egress = [
      { port: 3000, namespace: "grafana" },
      { port: 5432, cidr: "10.1.0.0/16" },
      { port: 514, protocol: "UDP" },
    ];

    expect((policy({ egress }, "mcp-app-egress").egress as unknown[]).slice(2)).toEqual([
      { to: [namespace("grafana")], ports: [{ port: "3000", protocol: "TCP" }] },
      { to: [{ ip_block: { cidr: "10.1.0.0/16" } }], ports: [{ port: "5432", protocol: "TCP" }] },
      { to: [], ports: [{ port: "514", protocol: "UDP" }] },
    ]);
  });

  it("lets those in who watch, from the namespace that it names", () => {
    const stack = stackOf(
      synthesize({
        ...localWith({}),
        network: withServer({}, { network: { monitoringNamespace: "observability" } }).network,
      }),
      "platform",
    );

    expect(JSON.stringify(resourceOf(stack, POLICY, "mcp-app-admin"))).toContain('"observability"');
  });
});
