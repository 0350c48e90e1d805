import { Agent, fetch as undiciFetch } from "undici";
import { TargetUnreachable } from "../../errors.ts";
import { ApiError } from "./api/api-error.ts";
import type { KubeApi } from "./api/kube-api.ts";
import { translated } from "./attempt.ts";

/** Longer answers of a pod are rejected. Bytes. */
const MAX_RESPONSE = 16 * 1024 * 1024;

export interface PodFetch {
  readonly fetch: typeof fetch;
  /** Ends every connection, also one that is being opened. */
  close(): Promise<void>;
}

/**
 * A `fetch` whose connections lead to one port of these pods, through the API server. New connections take the pods in
 * turn, and each uses the credentials of its moment.
 *
 * It throws TargetRefused if the identity may not forward ports, and TargetUnreachable if no connection could be made, or
 * the way to the pod broke before the answer. A pod that ends the connection itself is a failed `fetch` as any other.
 */
export function podFetch(api: KubeApi, pods: readonly string[], port: number): PodFetch {
  let turn = 0;
  const closed = new AbortController();
  const open = async () => {
    const pod = pods[turn++ % Math.max(1, pods.length)];
    if (pod === undefined) throw new TargetUnreachable("there is no ready pod to connect to");
    return await api.forward(pod, port, closed.signal).catch((error: unknown) => {
      throw unreachable(translated(`open a connection to port ${port} of pod '${pod}'`, error));
    });
  };
  const agent = new Agent({
    maxResponseSize: MAX_RESPONSE,
    connect: (_, callback) => {
      open().then(
        (stream) => {
          // undici uses no more of a socket than a Duplex has.
          callback(null, stream as never);
        },
        (error: unknown) => {
          callback(error as Error, null);
        },
      );
    },
  });
  return {
    fetch: (async (input: never, init: object) => {
      try {
        return await undiciFetch(input, { ...init, dispatcher: agent });
      } catch (error) {
        // `fetch` keeps the reason in the cause of its error.
        const cause = error instanceof TypeError ? translated(`call port ${port} of a pod`, error.cause) : undefined;
        throw cause instanceof Error && RELEASE_ERRORS.has(cause.name) ? cause : error;
      }
    }) as unknown as typeof fetch,
    close() {
      closed.abort(new Error("the connections to the pods have been closed"));
      return agent.destroy();
    },
  };
}

const RELEASE_ERRORS = new Set(["TargetUnreachable", "TargetRefused"]);

/** A pod that is gone by now is as unreachable as one that does not answer. */
function unreachable(error: unknown): unknown {
  const gone = error instanceof Error && error.cause instanceof ApiError && error.cause.kind === "not-found";
  return gone ? new TargetUnreachable(error.message) : error;
}
