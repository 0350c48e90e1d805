import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { json } from "node:stream/consumers";
import WebSocket from "ws";
import { ApiError, type ApiErrorKind } from "../../release/targets/kubernetes/api/api-error.ts";
import { KINDS, type Kind, type KubeApi } from "../../release/targets/kubernetes/api/kube-api.ts";
import type { StatusObject } from "./failures.ts";
import type { OpenApi } from "./http-client.ts";

/** The smallest client that talks to a fake API server over HTTP: no TLS, no credentials, no deadlines. */
export const apiOverHttp: OpenApi = (url, namespace): KubeApi => {
  const pathOf = (kind: Kind) => `/${KINDS[kind].prefix}/namespaces/${namespace}/${KINDS[kind].plural}`;
  const ask = async <T>(path: string, init: RequestInit): Promise<T> => {
    const response = await fetch(new URL(path, url), init).catch((error: unknown) => {
      init.signal?.throwIfAborted();
      throw new ApiError("unreachable", String(error));
    });
    const body: unknown = await response.json();
    if (response.ok) return body as T;
    throw refusal(body as StatusObject, response.headers.get("retry-after"));
  };
  return {
    namespace,
    get: <T>({ kind, name }: { kind: Kind; name: string }, signal?: AbortSignal) =>
      ask<T>(`${pathOf(kind)}/${name}`, { signal }).catch((error: unknown) => {
        if (error instanceof ApiError && error.kind === "not-found") return undefined;
        throw error;
      }),
    list: async <T>(kind: Kind, { labelSelector = "", fieldSelector = "" }, signal?: AbortSignal) => {
      const query = new URLSearchParams({ labelSelector, fieldSelector });
      return (await ask<{ items: T[] }>(`${pathOf(kind)}?${query.toString()}`, { signal })).items;
    },
    create: (kind, object, signal) => ask(pathOf(kind), { method: "POST", body: JSON.stringify(object), signal }),
    patch: ({ kind, name }, operations, signal) =>
      ask(`${pathOf(kind)}/${name}`, {
        method: "PATCH",
        headers: { "content-type": "application/json-patch+json" },
        body: JSON.stringify(operations),
        signal,
      }),
    forward: (pod, port) => forward(new URL(`${pathOf("Pod")}/${pod}/portforward?ports=${port}`, url)),
  };
};

async function forward(url: URL): Promise<Duplex> {
  const tunnel = new WebSocket(url.href.replace("http", "ws"), "v4.channel.k8s.io");
  const named = new Set<number>();
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      tunnel.send(Buffer.concat([Buffer.from([0]), chunk]), done);
    },
    destroy: (error, done) => {
      tunnel.terminate();
      done(error);
    },
  });
  tunnel.on("message", (message: Buffer) => {
    const [channel = 0] = message;
    if (!named.has(channel)) named.add(channel);
    else if (channel === 0) stream.push(message.subarray(1));
    else stream.destroy(new ApiError("unreachable", message.subarray(1).toString()));
  });
  tunnel.once("close", () => stream.push(null));
  const refused = once(tunnel, "unexpected-response").then(async ([, response]) => {
    throw refusal((await json(response as IncomingMessage)) as StatusObject, null);
  });
  const opened = once(tunnel, "open").catch((error: unknown) => {
    throw new ApiError("unreachable", String(error));
  });
  await Promise.race([opened, refused]);
  refused.catch(() => undefined);
  return stream;
}

function refusal({ code, message, details }: StatusObject, retryAfter: string | null): ApiError {
  return new ApiError(
    kindOf(code, message, details),
    message,
    retryAfter === null ? undefined : 1000 * Number(retryAfter),
  );
}

function kindOf(code: number, message: string, details: object = {}): ApiErrorKind {
  if (message.includes("denied request")) return "policy";
  if (message.includes("exceeded quota")) return "quota";
  if (code === 422) return "causes" in details ? "invalid" : "test-failed";
  return KIND_OF_CODE.get(code) ?? "unreachable";
}

const KIND_OF_CODE = new Map<number, ApiErrorKind>([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not-found"],
  [409, "conflict"],
]);
