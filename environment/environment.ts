import { z } from "zod";
import { explain } from "./explain.ts";
import { dnsLabel, label1035 } from "./patterns.ts";
import { bundledServer } from "./bundled-server.ts";
import { RULES } from "./rules/index.ts";
import { checkOf } from "./rules/rule.ts";
import { app } from "./schema/app.ts";
import { ingress } from "./schema/ingress.ts";
import { migration } from "./schema/migration.ts";
import { network } from "./schema/network.ts";
import { pod } from "./schema/pod.ts";
import { release } from "./schema/release.ts";
import { scaling } from "./schema/scaling.ts";
import { server } from "./schema/server.ts";
import { extraService, service } from "./schema/service.ts";
import { state } from "./schema/state.ts";
import { volumes } from "./schema/volumes.ts";
import { unresolved } from "./unresolved.ts";

/**
 * What a user edits: everything that differs between one place the app runs in and another.
 *
 * The schema is the documentation: each field says what it is for, its unit and its default. Unknown keys are errors: a
 * misspelt key that is ignored is a setting that has no effect.
 */
const fields = z.strictObject({
  /** Part of the names of stacks, states and cache keys. */
  name: label1035.max(42).describe("the environment's name, which its stacks begin with"),
  namespace: dnsLabel.describe("the Kubernetes namespace of its objects"),
  /** Whether a deploy makes the namespace. One that exists may have other programs in it. @default true */
  createNamespace: z.boolean().default(true),
  /** The kubeconfig context to deploy to. @default - that of `--context` or KUBE_CONTEXT, otherwise the current one */
  context: z.string().min(1).optional(),
  /** Where Terraform keeps its states. @default - files in the working directory */
  state: state.default({ backend: "local" }),
  /** The program that is deployed. @default - the bundled app */
  server: server.prefault(bundledServer),
  app: app.describe("the image, its settings and its resources"),
  /** Where and how pods run. */
  pod: pod.prefault({}),
  scaling: scaling.describe("how many pods each color has"),
  service: service.prefault({ type: "ClusterIP" }),
  /** @default - none */
  ingress: ingress.optional(),
  /** Services for other ports of the pods, by name: `metrics` is `mcp-app-metrics`. */
  services: z.record(dnsLabel.max(20), extraService).default({}),
  network: network.prefault({}),
  /** Volumes of the server's container, by name. */
  volumes: volumes.default({}),
  /** A program of the new version that a release runs before it stages. @default - none */
  migration: migration.optional(),
  release: release.describe("how a release checks a version"),
});

export type Environment = Readonly<z.output<typeof fields>>;

/** What an environment file may leave out is what has a default. */
export type EnvironmentInput = z.input<typeof fields>;

export const environmentSchema = fields.check(checkOf(RULES));

/** An environment that cannot be deployed. The message names each field and what is wrong with it. */
export class InvalidEnvironment extends Error {
  override readonly name = "InvalidEnvironment";
}

/**
 * Checks an environment; every file in environments/ ends with a call of it.
 *
 * @throws InvalidEnvironment with all problems, a line each
 */
export function environment(input: EnvironmentInput): Environment {
  const tokens = unresolved(input).map((path) => path.join("."));
  const result = environmentSchema.safeParse(input, { error: explain });
  if (result.success && tokens.length === 0) return result.data;
  const issues = (result.error?.issues ?? []).filter(({ path }) => !tokens.includes(path.join(".")));
  const problems = [
    ...tokens.map((path) => `  ${path}: ${UNRESOLVED}`),
    ...issues.map((issue) => `  ${issue.path.join(".") || "(top level)"}: ${inOneLine(issue)}`),
  ];
  const name = typeof input === "object" && typeof input.name === "string" ? ` '${input.name}'` : "";
  throw new InvalidEnvironment(`environment${name} is not valid:\n${problems.join("\n")}`);
}

const UNRESOLVED =
  "is a value of another resource, which is known only during an apply; write the value itself, or for a secret the name " +
  "of an existing Secret in app.settingsFrom";

/** The reasons why a key is refused are issues of their own. */
const inOneLine = (issue: z.core.$ZodIssue) =>
  issue.code === "invalid_key" ? issue.issues.map(({ message }) => message).join("; ") : issue.message;
