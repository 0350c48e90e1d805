import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { LIVE_SERVICE } from "../default-names.ts";
import type { Authority } from "../app/certificates.ts";
import { FakeCluster } from "../kubernetes/cluster.ts";
import { PodServers } from "../kubernetes/pod-servers.ts";
import { KubeServer } from "../kubernetes/server.ts";

/** Who asked, as the server sees it. */
export interface Seen {
  readonly cluster: string;
  /** The name that the client expects of the server, as the TLS handshake tells. */
  readonly serverName?: string;
  readonly authorization?: string;
  /** Headers that begin with Impersonate-, as lines, sorted. */
  readonly impersonation?: readonly string[];
  /** The common name of the client's certificate. */
  readonly certificate?: string;
}

/** An API server that records who asks. */
export class RecordingCluster {
  readonly seen: Seen[] = [];
  /** Identities that it answers with 401. */
  readonly refused = new Set<string>();
  /** What `kubectl get --raw` reads. */
  readonly path: string;
  readonly pod: string;
  readonly #name: string;
  readonly #pods: PodServers;
  #server: KubeServer | undefined;

  private constructor(name: string, cluster: FakeCluster, pods: PodServers) {
    this.#name = name;
    this.#pods = pods;
    this.path = `/api/v1/namespaces/${cluster.store.namespace}/services/${LIVE_SERVICE}`;
    this.pod = cluster.store.list("Pod")[0]?.metadata.name ?? "";
  }

  /** @param authority signs the certificate of the server. @default - HTTP */
  static async start(
    name: string,
    authority: Authority | undefined,
    names: readonly string[],
  ): Promise<RecordingCluster> {
    const cluster = FakeCluster.deployed();
    const pods = await PodServers.start(cluster);
    const recording = new RecordingCluster(name, cluster, pods);
    const issued = authority?.issue({ names });
    recording.#server = await KubeServer.start(cluster.store, {
      ports: pods.ports,
      identify: (request) => recording.#record(request),
      ...(issued && { tls: { cert: issued.chain, key: issued.key, requestCert: true, rejectUnauthorized: false } }),
    });
    return recording;
  }

  get url(): URL {
    if (this.#server === undefined) throw new Error("the cluster has not been started");
    return this.#server.url;
  }

  /** Its address by this name, which only a proxy or this machine's own names resolve. */
  at(host: string): string {
    return `${this.url.protocol}//${host}:${this.url.port}`;
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#pods.close();
  }

  #record({ socket, headers, rawHeaders }: IncomingMessage): string | undefined {
    const { servername, getPeerCertificate } = socket as Partial<TLSSocket>;
    // Without a client certificate it is an empty object.
    const subject: { readonly CN?: unknown } | undefined = getPeerCertificate?.call(socket).subject;
    const certificate = subject?.CN;
    const lines = rawHeaders
      .map((name, at) => (at % 2 === 0 ? `${name.toLowerCase()}: ${rawHeaders[at + 1] ?? ""}` : ""))
      .filter((line) => line.startsWith("impersonate-"))
      .sort();
    this.seen.push({
      cluster: this.#name,
      ...(servername && { serverName: servername }),
      ...(headers.authorization !== undefined && { authorization: headers.authorization }),
      ...(lines.length > 0 && { impersonation: lines }),
      ...(typeof certificate === "string" && { certificate }),
    });
    const identity = headers.authorization ?? (typeof certificate === "string" ? certificate : "anonymous");
    return this.refused.has(identity) ? undefined : identity;
  }
}
