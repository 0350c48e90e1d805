import { z } from "zod";
import { count, portNumber } from "../patterns.ts";

/** The name of a port in a pod, as Services and probes refer to it. */
export const portName = z
  .string()
  .regex(/^(?=.*[a-z])[a-z0-9](?:-?[a-z0-9])*$/, {
    error: ({ input }) => `'${String(input)}' is not a port's name: lower-case letters, digits and '-'`,
  })
  .max(15);

/** A port of the pod, by its name (`mcp`, or one of `server.ports`) or its number. */
export const portReference = z.union([portName, portNumber], {
  error: "must be the name of a port, such as 'mcp', or its number",
});

const timing = {
  /** @default - 1 for the startup probe, 2 for readiness, 10 for liveness */
  periodSeconds: count.optional(),
  /** @default 2 */
  timeoutSeconds: count.default(2),
  /** Consecutive failures that count. @default - the startup budget, 2 for readiness, 3 for liveness */
  failureThreshold: count.optional(),
  /** @default 0 */
  initialDelaySeconds: z.number().int().min(0).default(0),
};

/** A question of the kubelet, and how often it is asked. */
export const probe = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("http"),
    path: z
      .string()
      .regex(/^\/\S*$/, "must be a path such as '/healthz'")
      .describe("the path that is requested with GET"),
    /** @default "mcp" */
    port: portReference.default("mcp"),
    headers: z.record(z.string().regex(/^[\w-]+$/, "must be the name of an HTTP header"), z.string()).default({}),
    ...timing,
  }),
  /** Passes if the port accepts a connection. */
  z.strictObject({ type: z.literal("tcp"), port: portReference.default("mcp"), ...timing }),
  /** The gRPC health protocol. Kubernetes takes the number of a port only. */
  z.strictObject({
    type: z.literal("grpc"),
    port: portNumber.describe("the number of the gRPC port"),
    service: z.string().optional(),
    ...timing,
  }),
  /** Passes if a program in the container exits with 0. */
  z.strictObject({
    type: z.literal("exec"),
    command: z.array(z.string()).min(1).describe("the program and its arguments"),
    ...timing,
  }),
]);

export type Probe = z.output<typeof probe>;

export const probes = z.strictObject({
  /** How long a container may take to start before it is killed. @default 60 */
  startupSeconds: count.default(60),
  /** @default - asks as `readiness` does */
  startup: probe.optional(),
  /** Whether a pod gets calls. @default - a connection to the MCP port */
  readiness: probe.prefault({ type: "tcp" }),
  /** Whether a container is left running. @default - a connection to the MCP port */
  liveness: probe.prefault({ type: "tcp" }),
});
