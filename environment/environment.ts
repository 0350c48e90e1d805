import { z } from "zod";
import { imageProblem } from "./image.ts";

/**
 * What a user edits: everything that differs between one place the app runs in and another.
 *
 * The schema is the documentation: each field says what it is for, its unit and its default. Unknown keys are errors, since a
 * misspelt key that is quietly ignored is a setting that someone believes in.
 */

const name = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/,
    "must be lower-case letters, digits and '-', at most 42, starting with a letter",
  );

const count = z.number().int().positive();

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

/** Terraform reads these before it can evaluate or escape anything. */
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of an S3 bucket");
const regionName = z.string().regex(/^[a-z0-9-]+$/, "must be an AWS region such as 'eu-central-1'");

const stateBackend = z.discriminatedUnion("backend", [
  /** A file in the working directory: for one person on one machine. */
  z.strictObject({ backend: z.literal("local") }),
  /** S3 with its own lock file; the bucket exists beforehand, versioned and encrypted. */
  z.strictObject({ backend: z.literal("s3"), bucket: bucketName, region: regionName }),
]);

/** Where pods share what they know. Its URL, with user and password, is a secret: `TF_VAR_redis_url`. */
const redis = z.strictObject({
  /** Revisions of the URL that exist. New pods use the highest; keep a lower one here until no color names it. */
  urlRevisions: z.array(count).min(1).default([1]),
  /** The port in the URL, and of every other node if it is a cluster: pods may reach no other. */
  port: z.number().int().min(1).max(65535).default(6379),
  /** Whether the URL names one node of a cluster, from which the others are learned. */
  cluster: z.boolean().default(false),
  /** The namespace it runs in, if it runs in the same Kubernetes cluster. @default - pods may reach `port` anywhere */
  namespace: name.optional(),
  /** The addresses it has, if it runs elsewhere, such as `10.0.0.0/16`. @default - pods may reach `port` anywhere */
  cidr: z.union([z.cidrv4(), z.cidrv6()], { error: "must be an address range such as '10.0.0.0/16'" }).optional(),
});

/** A volume for writes: each pod's own, which goes with the pod, or a claim that all pods share and that outlives them. */
const dataVolume = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("emptyDir"),
    /** A Kubernetes quantity. A pod that fills more than this is evicted, and its volume with it. @default "1Gi" */
    sizeLimit: z.string().min(1).default("1Gi"),
  }),
  z.strictObject({
    type: z.literal("claim"),
    /** A PersistentVolumeClaim in the namespace, made elsewhere; ReadWriteMany unless all pods run on one node. */
    claim: z.string().min(1),
  }),
]);

const app = z.strictObject({
  /** The image that both colors start with; each release names its own. */
  image: z.string(),
  /** `digest` refuses an image that is not pinned; `any` is for images that no registry holds. @default "digest" */
  imagePolicy: z.enum(["digest", "any"]).default("digest"),
  /** Plain settings, as environment variables of the app: see docs/configuration.md. Never a secret. */
  settings: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be an environment variable's name"), z.string())
    .default({}),
  /** What one pod asks for and may use. CPU is not limited: throttling is latency. */
  resources: z.strictObject({ cpu: z.string().default("250m"), memory: z.string().default("256Mi") }).prefault({}),
  /** Host names (no port) that clients may use to reach the app; anything else is refused. */
  allowedHosts: z.array(z.string().min(1)).default([]),
  /** Host names of web pages that may call the app from a browser. @default none */
  allowedOrigins: z.array(z.string().min(1)).default([]),
  /**
   * Revisions of the request-state key that exist. New pods use the highest; keep a lower one here until no color names it.
   */
  requestStateKeyRevisions: z.array(count).min(1).default([1]),
  /** @default - each pod is on its own */
  redis: redis.optional(),
  /** Where pods keep what clients store: see docs/store.md. @default none: in memory, and lost with the process */
  dataVolume: dataVolume.optional(),
});

const scaling = z
  .strictObject({
    /** Pods of each color when it is quiet; the idle color stands by at this number. */
    minReplicas: count,
    maxReplicas: count,
    /** Requests per second that one pod carries with its p95 under the objective; 60 to 70 % of its knee. */
    requestsPerPod: z.number().positive(),
    /** The p95 latency that users are promised. */
    latencyObjectiveMs: z.number().positive(),
    /** Latency counts as pressure only above this many requests per second and pod. @default 1 */
    latencyFloorRequestsPerSecond: z.number().positive().default(1),
  })
  .refine((scaling) => scaling.minReplicas <= scaling.maxReplicas, {
    error: (issue) => {
      const { minReplicas, maxReplicas } = issue.input as { minReplicas: number; maxReplicas: number };
      return `minReplicas (${minReplicas}) must be at most maxReplicas (${maxReplicas})`;
    },
    path: ["minReplicas"],
  });

/** How the live Service is reached from outside the cluster. */
const service = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ClusterIP") }),
  z.strictObject({ type: z.literal("NodePort"), nodePort: z.number().int().min(30000).max(32767).optional() }),
]);

const smoke = z.strictObject({
  /** The tool that a real client session calls on the idle color. */
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).default({}),
  /** What its structured answer must look like: a Zod schema. */
  expect: z.custom<z.ZodType>((value) => value instanceof z.ZodType, "must be a Zod schema"),
});

/** What a measurement must stay under, and how much of it there must be before it counts. */
const limits = z.strictObject({
  /** Fewer calls than this are no data, and the check is inconclusive. */
  minCalls: count,
  /** Failed calls over all calls, 0 to 1. */
  maxErrorRatio: z.number().min(0).max(1),
  maxP95Ms: z.number().positive(),
});

const release = z.strictObject({
  /** Where a release runs: processes on this machine, or a cluster. */
  target: z.enum(["local", "kubernetes"]),
  /** How long a staged color may take to be complete and ready. */
  stageTimeoutSeconds: z.number().positive(),
  smoke,
  /** Synthetic calls to the idle color: how many, how many at a time, and their limits. */
  metrics: limits.extend({ calls: count, concurrency: count }),
  /** The time after promote in which a failing gate rolls back, over live traffic. */
  bake: limits.extend({
    durationSeconds: z.number().positive(),
    intervalSeconds: z.number().positive(),
    /** Looks in a row that must fail before traffic moves back; one look can be noise. @default 2 */
    failureLimit: count.default(2),
    /** How long gates may hold, in all, before the release stops and asks a person. */
    holdTimeoutSeconds: z.number().positive(),
  }),
});

export const environmentSchema = z
  .strictObject({
    name,
    namespace: name,
    /** The kubeconfig context to deploy to. @default the current context */
    context: z.string().min(1).optional(),
    state: stateBackend.default({ backend: "local" }),
    app,
    scaling,
    service: service.default({ type: "ClusterIP" }),
    release,
  })
  .superRefine(({ app }, context) => {
    const problem = imageProblem(app.image, app.imagePolicy);
    if (problem !== undefined) context.addIssue({ code: "custom", path: ["app", "image"], message: problem });
    const unsaid = WHO_MAY_CALL.filter((setting) => !(setting in app.settings));
    if (app.settings.AUTH_MODE !== "off" && unsaid.length > 0) {
      const message = `must say who may call: ${unsaid.join(", ")}, or AUTH_MODE 'off' for anybody who reaches the port`;
      context.addIssue({ code: "custom", path: ["app", "settings"], message });
    }
    for (const [setting, why] of NOT_SETTINGS) {
      if (!(setting in app.settings)) continue;
      context.addIssue({ code: "custom", path: ["app", "settings", setting], message: `cannot be set here: ${why}` });
    }
  });

export type Environment = Readonly<z.output<typeof environmentSchema>>;

/** What an environment file may leave out is what has a default. */
export type EnvironmentInput = z.input<typeof environmentSchema>;

/** An environment that does not hold together. The message names each field and what is wrong with it. */
export class InvalidEnvironment extends Error {
  override readonly name = "InvalidEnvironment";
}

/**
 * Checks an environment; every file in environments/ ends with a call of it.
 *
 * @throws InvalidEnvironment with all that is wrong, a line each
 */
export function environment(input: EnvironmentInput): Environment {
  const result = environmentSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join(".") || "(top level)"}: ${explain(issue)}`);
  throw new InvalidEnvironment(`environment '${input.name}' is not valid:\n${problems.join("\n")}`);
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => message).join("; ");
  if (issue.code !== "unrecognized_keys") return issue.message;
  return `there is no ${issue.keys.map((key) => `'${key}'`).join(", ")} here; is it misspelt?`;
}
