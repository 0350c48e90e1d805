import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { z } from "zod";
import { InvalidKubeconfig } from "../../../../kubeconfig/invalid-kubeconfig.ts";
import type { ContextCluster } from "../../../../kubeconfig/cluster.ts";
import type { ExecEntry } from "../../../../kubeconfig/schema.ts";
import { ApiError } from "./api-error.ts";
import { authorityOf } from "./certificates.ts";

/** A plugin may wait for a person, who has to sign in. */
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT = 1 << 20;

export interface ExecCredentials {
  readonly token: string | undefined;
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
}

interface Cached {
  readonly plugin: string;
  readonly credentials: ExecCredentials;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const answerSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("ExecCredential"),
  status: z.object({
    token: z.string().nullish(),
    clientCertificateData: z.string().nullish(),
    clientKeyData: z.string().nullish(),
    expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  }),
});

/**
 * Credentials from the program that a kubeconfig names, kept until they expire.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export class ExecPlugin {
  readonly #variables: Readonly<Record<string, string | undefined>>;
  #cached: Cached | undefined;
  #running: Promise<Cached> | undefined;
  readonly #closed = new AbortController();

  constructor(variables: Readonly<Record<string, string | undefined>>) {
    this.#variables = variables;
  }

  /** Concurrent callers share one run of the plugin. */
  async credentials(cluster: ContextCluster, exec: ExecEntry): Promise<ExecCredentials> {
    const plugin = JSON.stringify([exec, cluster.clusterName, cluster.cluster]);
    if (this.#cached?.plugin === plugin && Date.now() < this.#cached.expiresAt) return this.#cached.credentials;
    this.#running ??= this.#run(plugin, cluster, exec).finally(() => (this.#running = undefined));
    this.#cached = await this.#running;
    return this.#cached.credentials;
  }

  /**
   * The server does not accept the credentials any more: the next caller runs the plugin again.
   *
   * @returns whether there were any
   */
  forget(): boolean {
    const had = this.#cached !== undefined;
    this.#cached = undefined;
    return had;
  }

  /** Ends a plugin that runs. */
  close(): void {
    this.#closed.abort();
  }

  async #run(plugin: string, cluster: ContextCluster, exec: ExecEntry): Promise<Cached> {
    const interactive = isInteractive(exec);
    const spec = { interactive, ...(exec.provideClusterInfo ? { cluster: clusterInfo(cluster) } : {}) };
    const info = JSON.stringify({ apiVersion: exec.apiVersion, kind: "ExecCredential", spec });
    const own = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
    const env = { ...this.#variables, ...own, KUBERNETES_EXEC_INFO: info };
    const output = await outputOf(exec, interactive, env, this.#closed.signal);
    const { apiVersion, status } = understand(exec, output);
    if (apiVersion !== exec.apiVersion) {
      throw failed(exec, `answered with apiVersion '${apiVersion}' instead of '${exec.apiVersion}'`);
    }
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
    if (!cert !== !key) throw failed(exec, "returned a client certificate or its key, but not both");
    if (!token && !cert) throw failed(exec, "returned neither a token nor a client certificate");
    return {
      plugin,
      credentials: {
        token: token === "" ? undefined : (token ?? undefined),
        certificate: cert && key ? { cert, key } : undefined,
      },
      expiresAt: expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY,
    };
  }
}

function isInteractive({ command, interactiveMode }: ExecEntry): boolean {
  if (interactiveMode === "Never") return false;
  const terminal = isatty(0);
  if (interactiveMode === "Always" && !terminal) {
    throw new InvalidKubeconfig(
      `the exec plugin '${command}' of the kubeconfig needs a terminal ('interactiveMode: Always'), and there is none`,
    );
  }
  return terminal;
}

async function outputOf(
  exec: ExecEntry,
  interactive: boolean,
  env: NodeJS.ProcessEnv,
  closed: AbortSignal,
): Promise<string> {
  const child = spawn(exec.command, exec.args, {
    env,
    stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"],
    // A group of its own, to end a wrapper with its program. One that talks to a person must stay in that of the terminal.
    detached: !interactive,
  });
  let output = "";
  let problem = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.length > MAX_OUTPUT) child.kill();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    // It may ask the person to sign in.
    if (interactive) process.stderr.write(text);
    problem = (problem + text).slice(-1000);
  });
  const end = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closed]);
  try {
    const [code, signal] = (await once(child, "close", { signal: end })) as [number | null, NodeJS.Signals | null];
    if (code === 0) return output;
    throw failed(exec, `ended with ${code === null ? String(signal) : `exit code ${code}`}: ${problem}`);
  } catch (error) {
    if (end.aborted) {
      kill(child, interactive);
      throw failed(exec, closed.aborted ? "was ended" : `did not answer within ${TIMEOUT_MS / 1000} s`);
    }
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new InvalidKubeconfig(
      `the exec plugin '${exec.command}' of the kubeconfig was not found. ${exec.installHint}`.trim(),
    );
  }
}

/** Nothing waits for the end. A plugin at a terminal may have to restore it, for instance after it asked for a password. */
function kill(child: ChildProcessByStdio<null, Readable, Readable>, interactive: boolean): void {
  child.on("error", () => undefined);
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  if (child.pid === undefined) return;
  try {
    if (interactive) process.kill(child.pid, "SIGTERM");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function understand(exec: ExecEntry, output: string) {
  try {
    return answerSchema.parse(JSON.parse(output));
  } catch {
    throw failed(exec, "did not answer with an ExecCredential that has a status");
  }
}

/** A plugin often needs the network itself, so its failure may pass. */
const failed = ({ command }: ExecEntry, problem: string) =>
  new ApiError(
    "unreachable",
    `the exec plugin '${command}' of the kubeconfig ${problem.replaceAll(/\s+/g, " ").trim()}`.slice(0, 600),
  );

const CONFIG_EXTENSION = "client.authentication.k8s.io/exec";

/** What `provideClusterInfo` promises. */
function clusterInfo({ cluster }: ContextCluster) {
  const config = cluster.extensions.find(({ name }) => name === CONFIG_EXTENSION)?.extension;
  const authority = authorityOf(cluster);
  return {
    server: cluster.server,
    ...(cluster["tls-server-name"] === "" ? {} : { "tls-server-name": cluster["tls-server-name"] }),
    ...(cluster["insecure-skip-tls-verify"] ? { "insecure-skip-tls-verify": true } : {}),
    ...(authority === undefined ? {} : { "certificate-authority-data": authority.toString("base64") }),
    ...(cluster["proxy-url"] === "" ? {} : { "proxy-url": cluster["proxy-url"] }),
    ...(cluster["disable-compression"] ? { "disable-compression": true } : {}),
    config: config ?? null,
  };
}
