import { execFile, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { LIVE_SERVICE, PORTS } from "../default-names.ts";
import { UsageError } from "../../release/errors.ts";
import { Client } from "../../release/targets/kubernetes/api/client.ts";
import { Connections } from "../../release/targets/kubernetes/api/connection.ts";
import type { KubeApi } from "../../release/targets/kubernetes/api/kube-api.ts";
import { openKubeApi, type OpenedApi } from "../../release/targets/kubernetes/api/open.ts";
import { newAuthority } from "../app/certificates.ts";
import { ConnectProxy } from "./connect-proxy.ts";
import { RecordingCluster, type Seen } from "./recording-cluster.ts";
import { SocksProxy } from "./socks-proxy.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What was seen of one request: who asked which cluster, the proxy it took, and how the plugin was called. */
interface Outcome {
  readonly seen: readonly Seen[];
  readonly proxied: readonly string[];
  /** The end of the request as the caller sees it. */
  readonly answered: boolean;
  readonly plugin: unknown;
}

interface Row {
  /** The files of KUBECONFIG, in order. Undefined for one that does not exist. */
  readonly files: readonly (object | string | undefined)[];
  readonly variables?: () => Record<string, string>;
  readonly context?: string;
  /** What the server sees; null if no request arrives. */
  readonly seen: Partial<Seen> | null;
  readonly proxied?: () => readonly string[];
  /** Part of our error. */
  readonly refused?: string;
}

const AUTHORITY = newAuthority("kubeconfig test");
const NAMES = ["localhost", "api.internal", "api.cluster.example"];
const PEOPLE = newAuthority("people");
const ALICE = PEOPLE.issue({ names: ["alice"] });
const BOB = PEOPLE.issue({ names: ["bob"] });

const base64 = (text: string) => Buffer.from(text).toString("base64");
const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;

let one: RecordingCluster;
let other: RecordingCluster;
let plain: RecordingCluster;
let proxy: ConnectProxy;
let tlsProxy: ConnectProxy;
let socks: SocksProxy;
let folder: string;

jest.setTimeout(30_000);

beforeAll(async () => {
  one = await RecordingCluster.start("one", AUTHORITY, NAMES);
  other = await RecordingCluster.start("other", newAuthority("unknown"), ["other.example"]);
  plain = await RecordingCluster.start("plain", undefined, []);
  proxy = await ConnectProxy.start();
  const { chain, key } = AUTHORITY.issue({ names: NAMES });
  tlsProxy = await ConnectProxy.start({ cert: chain, key });
  socks = await SocksProxy.start();
});

afterAll(async () => {
  for (const each of [proxy, tlsProxy, socks]) each.close();
  for (const cluster of [one, other, plain]) await cluster.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeconfig-test-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files", "ca.pem"), AUTHORITY.pem);
  writeFileSync(join(folder, "files", "alice.pem"), ALICE.chain);
  writeFileSync(join(folder, "files", "alice.key"), ALICE.key);
  writeFileSync(join(folder, "files", "token"), "from-a-file\n");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Functions, since the ports are known only when the servers run. */
const cluster = (fields: () => Fields) => fields;
const ONE = cluster(() => ({ server: one.at("localhost"), "certificate-authority-data": base64(AUTHORITY.pem) }));
const OTHER = cluster(() => ({ server: other.at("localhost"), "insecure-skip-tls-verify": true }));

/** A kubeconfig with one context. Functions in it are called when it is written. */
const config = (user: Fields | undefined, clusterFields: () => Fields = ONE, more: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "c",
  clusters: [{ name: "c", cluster: clusterFields }],
  contexts: [{ name: "c", context: { cluster: "c", ...(user && { user: "u" }) } }],
  ...(user && { users: [{ name: "u", user }] }),
  ...more,
});
const server = (fields: () => Fields) => () => ({ ...ONE(), ...fields() });
const exec = (fields: Fields = {}) => ({
  exec: {
    apiVersion: "client.authentication.k8s.io/v1",
    interactiveMode: "Never",
    command: "./plugin",
    ...fields,
  },
});
const V1BETA1 = "client.authentication.k8s.io/v1beta1";

/** Writes a program that answers with credentials and notes how it was called. */
function writePlugin(path: string, status: Fields, apiVersion = "client.authentication.k8s.io/v1") {
  const answer = JSON.stringify({ apiVersion, kind: "ExecCredential", status });
  const note = `printf '%s\\n' "$*" "$PROFILE" "$KUBERNETES_EXEC_INFO" > '${folder}/called'`;
  writeFileSync(join(folder, path), `#!/bin/sh\n${note}\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(join(folder, path), 0o755);
}

const ROWS: Record<string, Row> = {
  "a token": { files: [config({ token: "t" })], seen: { authorization: "Bearer t", serverName: "localhost" } },
  "a password": {
    files: [config({ username: "alice", password: "p:q" })],
    seen: { authorization: `Basic ${base64("alice:p:q")}` },
  },
  "no user": { files: [config(undefined)], seen: null, refused: "names no user" },
  "a user without credentials": {
    files: [config({})],
    seen: null,
    refused: "names the user 'u', who has no credentials",
  },
  "several files, of which the first current-context counts": {
    files: [config({ token: "first" }), config({ token: "second" }, OTHER, { "current-context": "d" })],
    seen: { cluster: "one", authorization: "Bearer first" },
  },
  "several files, of which the first one does not exist and the second is empty": {
    files: [undefined, "", config({ token: "t" })],
    seen: { authorization: "Bearer t" },
  },
  "one context out of three files": {
    files: [
      { contexts: [{ name: "c", context: { cluster: "c", user: "u" } }] },
      { clusters: [{ name: "c", cluster: ONE }] },
      { users: [{ name: "u", user: { token: "t" } }], "current-context": "c" },
    ],
    seen: { authorization: "Bearer t" },
  },
  "names that two files define": {
    files: [{ clusters: [{ name: "c", cluster: ONE }] }, config({ token: "t" }, OTHER)],
    seen: { cluster: "one", authorization: "Bearer t" },
  },
  "another context than the current one": {
    files: [
      {
        ...config({ token: "t" }, OTHER),
        contexts: [
          { name: "c", context: { cluster: "c" } },
          { name: "d", context: { cluster: "d", user: "u" } },
        ],
        clusters: [
          { name: "c", cluster: OTHER },
          { name: "d", cluster: ONE },
        ],
      },
    ],
    context: "d",
    seen: { cluster: "one", authorization: "Bearer t" },
  },
  "no current-context": {
    files: [config({ token: "t" }, ONE, { "current-context": "" })],
    seen: null,
    refused: "has no current-context",
  },
  "an unknown current-context": {
    files: [config({ token: "t" }, ONE, { "current-context": "x" })],
    seen: null,
    refused: "has no context 'x'; it has 'c'",
  },
  "an empty file": { files: [""], seen: null, refused: "has no current-context" },
  "no file": { files: [undefined], seen: null, refused: "does not exist" },
  "a broken file": { files: ["{", config({ token: "t" })], seen: null, refused: "is not YAML" },
  "a file of another kind of value": { files: ["clusters: 3\n"], seen: null, refused: "is not one" },
  "a cluster that no file defines": {
    files: [config({ token: "t" }, ONE, { clusters: [] })],
    seen: null,
    refused: "names the cluster 'c', which no file defines",
  },
  "a user that no file defines": {
    files: [config({ token: "t" }, ONE, { users: [] })],
    seen: null,
    refused: "names the user 'u', which no file defines",
  },
  "a tokenFile, relative to its own file": {
    files: [config({ tokenFile: "files/token" })],
    seen: { authorization: "Bearer from-a-file" },
  },
  "a tokenFile beside a token": {
    files: [config({ token: "t", tokenFile: "files/token" })],
    seen: { authorization: "Bearer from-a-file" },
  },
  "a client certificate as data": {
    files: [config({ "client-certificate-data": base64(ALICE.chain), "client-key-data": base64(ALICE.key) })],
    seen: { certificate: "alice" },
  },
  "a client certificate and an authority in files": {
    files: [
      config({ "client-certificate": "files/alice.pem", "client-key": "files/alice.key" }, () => ({
        server: one.at("localhost"),
        "certificate-authority": "files/ca.pem",
      })),
    ],
    seen: { certificate: "alice" },
  },
  "a client certificate without its key": {
    files: [config({ "client-certificate": "files/alice.pem" })],
    seen: null,
    refused: "has a client certificate without its key",
  },
  "a certificate whose file does not exist": {
    files: [config({ "client-certificate": "files/none.pem", "client-key": "files/alice.key" })],
    seen: null,
    refused: "names a 'client-certificate' that cannot be read",
  },
  "data and a file for the same thing": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "certificate-authority": "files/ca.pem" })),
      ),
    ],
    seen: null,
    refused: "has both 'certificate-authority' and 'certificate-authority-data'",
  },
  "an authority that is not base64": {
    files: [config({ token: "t" }, () => ({ server: one.at("localhost"), "certificate-authority-data": "%%%" }))],
    seen: null,
    refused: "cluster 'c' of the kubeconfig has a 'certificate-authority-data' that is not base64",
  },
  "an authority that is no certificate": {
    files: [config({ token: "t" }, () => ({ server: one.at("localhost"), "certificate-authority": "files/token" }))],
    seen: null,
    refused: "cluster 'c' of the kubeconfig has a 'certificate-authority' without a certificate in PEM format",
  },
  "a client certificate with the key of another one": {
    files: [config({ "client-certificate-data": base64(ALICE.chain), "client-key-data": base64(BOB.key) })],
    seen: null,
    refused: "the certificates of the kubeconfig cannot be used: ",
  },
  "a tokenFile that is a folder": {
    files: [config({ tokenFile: "files" })],
    seen: null,
    refused: "files' cannot be used: EISDIR",
  },
  "a tokenFile that is a folder beside a token, which counts": {
    files: [config({ token: "t", tokenFile: "files" })],
    seen: { authorization: "Bearer t" },
  },
  "an auth-provider": {
    files: [config({ "auth-provider": { name: "gcp" } })],
    seen: null,
    refused: "uses the auth-provider 'gcp'",
  },
  "a token and a password": {
    files: [config({ token: "t", username: "u", password: "p" })],
    seen: null,
    refused: "has a token and a password",
  },
  "impersonation with a uid, groups and extra fields": {
    files: [
      config({
        token: "t",
        as: "bob",
        "as-uid": "7",
        "as-groups": ["a", "b"],
        "as-user-extra": { "example.com/Scope": ["x", "y"] },
      }),
    ],
    seen: {
      authorization: "Bearer t",
      impersonation: [
        "impersonate-extra-example.com%2fscope: x",
        "impersonate-extra-example.com%2fscope: y",
        "impersonate-group: a",
        "impersonate-group: b",
        "impersonate-uid: 7",
        "impersonate-user: bob",
      ],
    },
  },
  "an identity from a merge key": {
    files: [
      "x: &base {as: deployer, token: u}\nusers: [{name: u, user: {<<: *base, token: t}}]\n",
      config({ token: "hidden by the first file" }),
    ],
    seen: { authorization: "Bearer t", impersonation: ["impersonate-user: deployer"] },
  },
  "merge keys after other keys, which they replace": {
    files: [
      [
        "x: {a: &a {as: a, token: a}, b: &b {as: b, as-uid: '7'}, c: &c {token: c}, d: &d {<<: *c, as-groups: [d]}}",
        "users: [{name: u, user: {as: mine, token: mine, <<: [*a, *b], <<: *d}}]",
        "",
      ].join("\n"),
      config({ token: "hidden by the first file" }),
    ],
    seen: {
      authorization: "Bearer c",
      impersonation: ["impersonate-group: d", "impersonate-uid: 7", "impersonate-user: a"],
    },
  },
  "a quoted merge key, which is none": {
    files: [
      'x: &base {as: deployer}\nusers: [{name: u, user: {"<<": *base, token: t}}]\n',
      config({ token: "hidden by the first file" }),
    ],
    seen: { authorization: "Bearer t" },
  },
  "a merge key of something else than a map": {
    files: ["users: [{name: u, user: {<<: 3, token: t}}]\n", config({ token: "t" })],
    seen: null,
    refused: "is not YAML: Merge sources must be maps",
  },
  "groups to impersonate without a user": {
    files: [config({ token: "t", "as-groups": ["a"] })],
    seen: null,
    refused: "without a user ('as')",
  },
  "a proxy-url": {
    files: [
      config(
        { token: "t" },
        server(() => ({
          server: one.at("api.cluster.example"),
          "proxy-url": `http://me:secret@${proxy.host}`,
        })),
      ),
    ],
    seen: { serverName: "api.cluster.example", authorization: "Bearer t" },
    proxied: () => [`api.cluster.example:${one.url.port} by Basic ${base64("me:secret")}`],
  },
  "a proxy-url with TLS, by an authority of the cluster": {
    files: [
      config(
        { token: "t" },
        server(() => ({
          server: one.at("api.cluster.example"),
          "proxy-url": `https://localhost:${tlsProxy.host.replace(/.*:/, "")}`,
        })),
      ),
    ],
    seen: { serverName: "api.cluster.example", authorization: "Bearer t" },
    proxied: () => [`api.cluster.example:${one.url.port}`],
  },
  "a proxy-url of SOCKS": {
    files: [
      config(
        { token: "t" },
        server(() => ({ server: one.at("api.cluster.example"), "proxy-url": `socks5://${socks.host}` })),
      ),
    ],
    seen: { serverName: "api.cluster.example", authorization: "Bearer t" },
    proxied: () => [`api.cluster.example:${one.url.port}`],
  },
  "a proxy that refuses": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "proxy-url": plain.url.href })),
      ),
    ],
    seen: null,
    refused: "did not connect to localhost:",
  },
  "a proxy-url for this machine": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "proxy-url": `http://${proxy.host}` })),
      ),
    ],
    seen: { authorization: "Bearer t" },
    proxied: () => [`localhost:${one.url.port}`],
  },
  "a proxy-url with a wrong percent-encoding": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "proxy-url": `http://me:se%zzcret@${proxy.host}` })),
      ),
    ],
    seen: null,
    refused: "the proxy-url of cluster 'c' in the kubeconfig has a '%' in its name or password",
  },
  "a proxy-url that is none": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "proxy-url": "ftp://proxy" })),
      ),
    ],
    seen: null,
    refused: "proxy-url of cluster 'c' in the kubeconfig is 'ftp://proxy'",
  },
  HTTPS_PROXY: {
    files: [
      config(
        { token: "t" },
        server(() => ({ server: one.at("api.cluster.example") })),
      ),
    ],
    variables: () => ({ HTTPS_PROXY: `http://${proxy.host}` }),
    seen: { authorization: "Bearer t" },
    proxied: () => [`api.cluster.example:${one.url.port}`],
  },
  "https_proxy without a scheme": {
    files: [
      config(
        { token: "t" },
        server(() => ({ server: one.at("api.cluster.example") })),
      ),
    ],
    variables: () => ({ https_proxy: proxy.host, NO_PROXY: "cluster.example:1,.other.example" }),
    seen: { authorization: "Bearer t" },
    proxied: () => [`api.cluster.example:${one.url.port}`],
  },
  "HTTPS_PROXY for this machine, which it is not for": {
    files: [config({ token: "t" })],
    variables: () => ({ HTTPS_PROXY: `http://${proxy.host}` }),
    seen: { authorization: "Bearer t" },
  },
  "a name that NO_PROXY keeps from the proxy": {
    files: [
      config(
        { token: "t" },
        server(() => ({ server: one.at("api.cluster.example") })),
      ),
    ],
    variables: () => ({ HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: "10.0.0.0/8, .cluster.example" }),
    seen: null,
    refused: "api.cluster.example",
  },
  "a tls-server-name": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "tls-server-name": "api.internal" })),
      ),
    ],
    seen: { serverName: "api.internal" },
  },
  "a tls-server-name that the certificate does not have": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "tls-server-name": "evil.example" })),
      ),
    ],
    seen: null,
    refused: "evil.example",
  },
  "insecure-skip-tls-verify": {
    files: [config({ token: "t" }, OTHER)],
    seen: { cluster: "other", authorization: "Bearer t" },
  },
  "insecure-skip-tls-verify beside an authority": {
    files: [
      config(
        { token: "t" },
        server(() => ({ "insecure-skip-tls-verify": true })),
      ),
    ],
    seen: null,
    refused: "has a certificate authority and 'insecure-skip-tls-verify'",
  },
  "a server of an unknown authority": {
    files: [config({ token: "t" }, () => ({ server: other.at("localhost") }))],
    seen: null,
    refused: "certificate",
  },
  "a server without TLS, which is sent no token": {
    files: [config({ token: "t" }, () => ({ server: plain.at("localhost") }))],
    seen: { cluster: "plain" },
  },
  "a plugin beside the file, with a token": {
    files: [config(exec())],
    seen: { authorization: "Bearer from-a-plugin" },
  },
  "a plugin that is told about the cluster": {
    files: [
      config(
        exec({ provideClusterInfo: true }),
        server(() => ({
          "tls-server-name": "api.internal",
          extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "a" } }],
        })),
      ),
    ],
    seen: { authorization: "Bearer from-a-plugin", serverName: "api.internal" },
  },
  "a plugin beside a token, which counts": {
    files: [config({ ...exec(), token: "t" })],
    seen: { authorization: "Bearer t" },
  },
  "a plugin that must have a terminal": {
    files: [config(exec({ interactiveMode: "Always" }))],
    seen: null,
    refused: "needs a terminal",
  },
  "a plugin without an interactiveMode": {
    files: [config(exec({ interactiveMode: "" }))],
    seen: null,
    refused: "interactiveMode ''",
  },
  "a plugin that does not exist": {
    files: [config(exec({ command: "no-such-plugin", installHint: "Install it from example.com." }))],
    seen: null,
    refused: "was not found. Install it from example.com.",
  },
  "a plugin of an old version": {
    files: [config(exec({ apiVersion: "client.authentication.k8s.io/v1alpha1" }))],
    seen: null,
    refused: "it must be client.authentication.k8s.io/v1 or",
  },
  "a file of EKS": {
    files: [
      config(
        exec({
          apiVersion: V1BETA1,
          interactiveMode: undefined,
          command: "aws",
          args: ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"],
          env: [{ name: "PROFILE", value: "prod" }],
        }),
      ),
    ],
    seen: { authorization: "Bearer from-a-plugin" },
  },
  "a file of GKE": {
    files: [
      config(
        exec({
          apiVersion: V1BETA1,
          interactiveMode: undefined,
          command: "gke-gcloud-auth-plugin",
          args: null,
          env: null,
          installHint: "Install gke-gcloud-auth-plugin",
          provideClusterInfo: true,
        }),
      ),
    ],
    seen: { authorization: "Bearer from-a-plugin" },
  },
  "a file of AKS": {
    files: [
      config(
        exec({
          apiVersion: V1BETA1,
          interactiveMode: "IfAvailable",
          command: "kubelogin",
          args: ["get-token", "--environment", "AzurePublicCloud", "--server-id", "1", "--login", "devicecode"],
          env: null,
          provideClusterInfo: false,
        }),
      ),
    ],
    seen: { authorization: "Bearer from-a-plugin" },
  },
};

/** Writes the files of a row, and returns the variables of a command that uses them. */
function prepare({ files, variables = () => ({}) }: Row): Record<string, string> {
  const paths = files.map((file, at) => {
    const path = join(folder, `config-${at}`);
    const write = (_: string, value: unknown): unknown =>
      typeof value === "function" ? (value as () => unknown)() : value;
    if (file !== undefined) writeFileSync(path, typeof file === "string" ? file : JSON.stringify(file, write));
    return path;
  });
  writePlugin("plugin", { token: "from-a-plugin" });
  for (const name of ["aws", "gke-gcloud-auth-plugin", "kubelogin"]) {
    writePlugin(`bin/${name}`, { token: "from-a-plugin" }, V1BETA1);
  }
  return {
    PATH: `${folder}/bin:${process.env.PATH ?? ""}`,
    HOME: folder,
    KUBECONFIG: paths.join(":"),
    ...variables(),
  };
}

async function outcomeOf(request: () => Promise<unknown>): Promise<Outcome & { readonly problem: string }> {
  for (const { seen } of [one, other, plain]) seen.length = 0;
  for (const { asked } of [proxy, tlsProxy, socks]) asked.length = 0;
  rmSync(join(folder, "called"), { force: true });
  let problem = "";
  await request().catch((error: unknown) => {
    problem = error instanceof Error ? error.message : String(error);
  });
  return {
    seen: [one, other, plain].flatMap(({ seen }) => [...seen]),
    proxied: [...new Set([proxy, tlsProxy, socks].flatMap(({ asked }) => asked))],
    answered: problem === "",
    plugin: calledPlugin(),
    problem,
  };
}

/** How the plugin was called, if it was: its arguments, a variable, and what it was told. */
function calledPlugin(): unknown {
  const file = join(folder, "called");
  if (!existsSync(file)) return undefined;
  const [args, profile, info = ""] = readFileSync(file, "utf8").split("\n");
  return { args, profile, info: JSON.parse(info) as unknown };
}

async function ask(variables: Record<string, string>, context?: string): Promise<void> {
  const opened = openKubeApi({ namespace: "mcp", context }, variables, { deadlineMs: 5000 });
  try {
    await opened.api.get({ kind: "Service", name: LIVE_SERVICE });
  } finally {
    opened.close();
  }
}

async function kubectl(env: Record<string, string>, context?: string): Promise<void> {
  const args = ["get", "--raw", one.path, ...(context === undefined ? [] : ["--context", context])];
  const running = promisify(execFile)("kubectl", args, { env, cwd: folder, timeout: 20_000 });
  running.child.stdin?.end();
  await running;
}

describe.each(Object.entries(ROWS))("a kubeconfig with %s", (_, row) => {
  const expected = { seen: row.seen === null ? [] : [row.seen], proxied: () => row.proxied?.() ?? [] };

  it("is used as it says", async () => {
    const variables = prepare(row);
    const { problem, ...outcome } = await outcomeOf(() => ask(variables, row.context));

    expect({ problem, ...outcome }).toMatchObject({ seen: expected.seen, proxied: expected.proxied() });
    expect(problem).toEqual(row.seen === null ? expect.stringContaining(row.refused ?? "") : "");
    expect(outcome.answered).toBe(row.seen !== null);
  });

  (hasKubectl ? it : it.skip)("is used as by kubectl: the same server, identity and outcome", async () => {
    const variables = prepare(row);
    const { problem: ourProblem, ...ours } = await outcomeOf(() => ask(variables, row.context));
    const { problem: itsProblem, ...its } = await outcomeOf(() => kubectl(variables, row.context));

    expect({ ...ours, ourProblem, itsProblem }).toEqual({ ...its, ourProblem, itsProblem });
  });
});

it.each([
  "an authority that is not base64",
  "an authority that is no certificate",
  "a certificate whose file does not exist",
  "a client certificate with the key of another one",
  "a tokenFile that is a folder",
  "a proxy-url with a wrong percent-encoding",
  "a proxy-url that is none",
])("a kubeconfig with %s is a mistake of the user and no outage", (name) => {
  const variables = prepare(ROWS[name] ?? { files: [], seen: null });

  expect(() => openKubeApi({ namespace: "mcp" }, variables)).toThrow(UsageError);
});

describe("an opened API", () => {
  const SERVICE = { kind: "Service", name: LIVE_SERVICE } as const;
  let opened: OpenedApi | undefined;

  afterEach(() => {
    opened?.close();
    opened = undefined;
  });

  function open(row: Omit<Row, "seen">): KubeApi {
    opened = openKubeApi({ namespace: "mcp" }, prepare({ ...row, seen: null }));
    for (const { seen } of [one, other, plain]) seen.length = 0;
    proxy.asked.length = 0;
    return opened.api;
  }

  async function forward(api: KubeApi): Promise<void> {
    const stream = await api.forward(one.pod, PORTS.admin.number);
    stream.write("GET /health HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n");
    expect(await text(stream)).toContain('"status":"healthy"');
  }

  it("reads a tokenFile again for each request and port forward", async () => {
    const api = open({ files: [config({ tokenFile: "files/token" })] });
    await api.get(SERVICE);
    writeFileSync(join(folder, "files", "token"), "second");
    await api.get(SERVICE);
    writeFileSync(join(folder, "files", "token"), "third");
    await forward(api);

    const tokens = one.seen.map(({ authorization }) => authorization);
    expect(tokens).toEqual(["Bearer from-a-file", "Bearer second", "Bearer third"]);
  });

  it("renews the certificate of a plugin when it expires, for requests and for port forwards", async () => {
    const api = open({ files: [config(exec())] });
    const issue = (name: string, lifeMs: number) => {
      const { chain, key } = PEOPLE.issue({ names: [name] });
      const expiresAt = new Date(Date.now() + lifeMs);
      writePlugin("plugin", {
        clientCertificateData: chain,
        clientKeyData: key,
        expirationTimestamp: expiresAt.toISOString(),
      });
      return expiresAt;
    };
    const first = issue("first", 2000);
    await api.get(SERVICE);
    const second = issue("second", 4000);
    await forward(api);
    await sleep(first.getTime() - Date.now() + 10);
    await forward(api);
    issue("third", 60_000);
    await api.get(SERVICE);
    await sleep(second.getTime() - Date.now() + 10);
    await api.get(SERVICE);
    await forward(api);

    expect(one.seen.map(({ certificate }) => certificate)).toEqual([
      ...["first", "first"],
      ...["second", "second"],
      ...["third", "third"],
    ]);
  });

  it("asks a plugin again when the server no longer accepts its credentials, also for a port forward", async () => {
    const api = open({ files: [config(exec())] });
    for (const [token, ask] of [
      ["a", () => api.get(SERVICE)],
      ["b", () => api.get(SERVICE)],
      ["c", () => forward(api)],
    ] as const) {
      writePlugin("plugin", { token });
      await ask();
      one.refused.add(`Bearer ${token}`);
    }
    one.refused.clear();

    const tokens = one.seen.map(({ authorization }) => authorization);
    expect(tokens).toEqual(["Bearer a", "Bearer a", "Bearer b", "Bearer b", "Bearer c"]);
  });

  it("keeps no timer, and so no process, for a plugin that does not exist", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const api = open({ files: [config(exec({ command: "no-such-plugin" }))] });
    const before = timers();

    await expect(api.get(SERVICE)).rejects.toThrow("was not found");
    expect(timers()).toBe(before);
  });

  it("takes the same proxy for port forwards as for requests", async () => {
    const target = `api.cluster.example:${one.url.port}`;
    const host = server(() => ({ server: `https://${target}` }));
    await forward(open({ files: [config({ token: "t" }, host)], variables: () => ({ HTTPS_PROXY: proxy.host }) }));

    expect(proxy.asked).toEqual([target]);
    expect(one.seen).toEqual([{ cluster: "one", serverName: "api.cluster.example", authorization: "Bearer t" }]);
  });

  it("stays with its cluster when somebody chooses another context, and says so when its own one is moved", async () => {
    const api = open({ files: [config({ token: "t" })] });
    const write = (content: object) => {
      prepare({ files: [content], seen: null });
    };
    write({
      ...config({ token: "t" }),
      "current-context": "d",
      contexts: [
        { name: "c", context: { cluster: "c", user: "u" } },
        { name: "d", context: { cluster: "d", user: "u" } },
      ],
      clusters: [
        { name: "c", cluster: ONE },
        { name: "d", cluster: OTHER },
      ],
    });
    await api.get(SERVICE);
    expect([one.seen.length, other.seen.length]).toEqual([1, 0]);

    write(config({ token: "t" }, OTHER));
    await expect(api.get(SERVICE)).rejects.toThrow("and names another one now");
    expect(other.seen).toEqual([]);
  });

  it("finds relative files from where the user called npm, and from its own folder otherwise", async () => {
    const variables = { ...prepare({ files: [config({ token: "t" })], seen: null }), KUBECONFIG: "config-0" };
    const outcome = await outcomeOf(() =>
      ask({ ...variables, INIT_CWD: folder, npm_package_json: join(process.cwd(), "package.json") }),
    );

    expect(outcome).toMatchObject({ problem: "", seen: [{ authorization: "Bearer t" }] });
    await expect(ask(variables)).rejects.toThrow(`'${join(process.cwd(), "config-0")}' does not exist`);
  });

  it("is refused with a variable that moves Terraform alone to another cluster", async () => {
    const variables = { ...prepare({ files: [config({ token: "t" })], seen: null }), KUBE_HOST: other.url.href };

    await expect(ask(variables)).rejects.toThrow("KUBE_HOST would move Terraform alone");
    await expect(ask(variables)).rejects.toThrow(UsageError);
  });

  it("says what it acts on and as whom, without a secret", () => {
    open({ files: [config({ token: "secret", as: "bob", "as-groups": ["admins"] })] });

    expect(opened?.description).toEqual([
      `cluster: 'c' at ${one.at("localhost")}`,
      `context: 'c' of ${join(folder, "config-0")}`,
      "namespace: mcp",
      "identity: user 'u' by token, impersonating 'bob' with the groups 'admins'",
    ]);
  });
});

describe("a release in a pod", () => {
  it("uses the service account of the pod, whose token is read again", async () => {
    writeFileSync(join(folder, "ca.crt"), AUTHORITY.pem);
    writeFileSync(join(folder, "token"), "first\n");
    one.seen.length = 0;
    const variables = { HOME: folder, KUBERNETES_SERVICE_HOST: "localhost", KUBERNETES_SERVICE_PORT: one.url.port };
    const client = new Client(new Connections({ variables, serviceAccount: folder }), "mcp");
    await client.get({ kind: "Service", name: LIVE_SERVICE });
    writeFileSync(join(folder, "token"), "second\n");
    await client.get({ kind: "Service", name: LIVE_SERVICE });
    client.close();

    expect(one.seen.map(({ authorization }) => authorization)).toEqual(["Bearer first", "Bearer second"]);
  });
});
