import { z } from "zod";
import { portNumber, variableName } from "../patterns.ts";
import { portName, portReference, probes } from "./probes.ts";
import { stop } from "./stop.ts";

/** What is wrong with an environment's settings, a sentence each. Referenced ones are names without values. */
export type SettingsCheck = (
  settings: Readonly<Record<string, string>>,
  referenced: readonly string[],
) => readonly string[];

const path = z.string().regex(/^\/\S*$/, "must be a path such as '/metrics'");

/** The variables that the kit sets, by what they say. One that the program does not have is left out. */
const variables = z.strictObject({
  /** The MCP port. */
  port: variableName.optional(),
  /** Other ports, by their names in `ports`. */
  ports: z.record(portName, variableName).default({}),
  /** The color of the pod. */
  color: variableName.optional(),
  /** Host names that clients use: `app.allowedHosts`, the Services and the Ingress, with commas. */
  allowedHosts: variableName.optional(),
  /** `app.allowedOrigins`, with commas. */
  allowedOrigins: variableName.optional(),
  /** The key of `app.requestStateKeyRevisions`. */
  requestStateKey: variableName.optional(),
  /** The URL of `app.redis`. */
  redisUrl: variableName.optional(),
  /** `true` if `app.redis` is a cluster. */
  redisCluster: variableName.optional(),
  /** What every key in Redis begins with: the environment's name. */
  redisPrefix: variableName.optional(),
  /** The folder of `app.dataVolume`. */
  dataDir: variableName.optional(),
  /** `volume` if `app.dataVolume` outlives its pod, otherwise `pod`. */
  dataDurability: variableName.optional(),
});

/** The program that is deployed: what an image of it needs, and what it answers. */
export const server = z.strictObject({
  /** The port of the MCP endpoint. @default 8080 */
  port: portNumber.default(8080),
  /** @default "/mcp" */
  path: path.default("/mcp"),
  /** The revisions of MCP that clients may use; a release tries each. @default ["2025-11-25"] */
  protocolVersions: z
    .array(z.string().regex(/^20\d\d-\d\d-\d\d$/, "must be a revision of MCP such as '2025-11-25'"))
    .min(1)
    .default(["2025-11-25"]),
  /** Other ports of the container, by name. @default none */
  ports: z.record(portName, portNumber).default({}),
  /** The port of the Services. @default 80 */
  servicePort: portNumber.default(80),
  /**
   * The program and its arguments. `{port}` in them is the MCP port, `{port:NAME}` one of `ports`, for a program that takes no
   * variable. @default - the image's entry point
   */
  command: z.array(z.string()).min(1).optional(),
  /** @default - the image's own */
  args: z.array(z.string()).min(1).optional(),
  variables: variables.prefault({}),
  /**
   * Variables with URLs, `host:port` or lists of them, that the server connects to: a network policy opens their ports.
   * @default ["OTEL_EXPORTER_OTLP_ENDPOINT"]
   */
  asks: z.array(variableName).default(["OTEL_EXPORTER_OTLP_ENDPOINT"]),
  /** Variables that an environment may not set, with the reason. */
  reserved: z.record(variableName, z.string()).default({}),
  /**
   * Settings with which anyone who reaches the port may call. Such an environment needs a context by name, and the synth
   * says it. @default - not known
   */
  authorizationOff: z.record(variableName, z.string()).default({}),
  /** Checks the settings of an environment. @default - none */
  checkSettings: z.custom<SettingsCheck>((value) => typeof value === "function", "must be a function").optional(),
  probes: probes.prefault({}),
  /** Whether the server keeps sessions in memory, as many SDKs do by default. Then only the pod that began one knows it. */
  sessions: z
    .enum(["none", "memory"])
    .describe(
      "'memory' if the server keeps sessions, as many SDKs do by default; 'none' if any pod answers any request " +
        "(FastMCP: FASTMCP_STATELESS_HTTP=true)",
    ),
  /** `maxAge`: the server ends connections of a certain age itself. `kept`: it never does. @default "kept" */
  connections: z.enum(["maxAge", "kept"]).default("kept"),
  stop: stop.prefault({ pause: "copied" }),
  /** Whether the program needs a folder `/tmp` to write to. @default true */
  writableTmp: z.boolean().default(true),
  /** A page that says how the server is. @default - none: gates use the readiness of pods */
  health: z.strictObject({ port: portReference.default("mcp"), path }).optional(),
  /** A page that names the running version. @default - none: gates use the image */
  version: z.strictObject({ port: portReference.default("mcp"), path }).optional(),
  /** Metrics in the Prometheus text format. @default - none: a bake measures synthetic calls alone */
  metrics: z
    .strictObject({
      port: portReference.default("mcp"),
      path: path.default("/metrics"),
      /** A histogram of calls by duration in seconds. */
      histogram: z.string().min(1).describe("the name of a histogram of calls by duration in seconds"),
      /** The label with the MCP method. @default - every sample is a call */
      methodLabel: z.string().min(1).optional(),
      /** The label with the kind of error, empty or absent if a call succeeded. @default - no call counts as failed */
      errorLabel: z.string().min(1).optional(),
    })
    .optional(),
});

export type Server = z.output<typeof server>;

/** What a description may leave out is what has a default. */
export type ServerInput = z.input<typeof server>;
