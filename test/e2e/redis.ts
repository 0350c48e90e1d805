import { randomBytes } from "node:crypto";
import { mustRun } from "./command.ts";

/** A namespace of its own: in that of the pods nothing else may be reached. */
export const REDIS_NAMESPACE = "mcp-local-redis";

/** The secret in the URL; it must turn up nowhere. */
export const redisPassword = randomBytes(16).toString("hex");

export const redisUrl = `redis://:${redisPassword}@redis.${REDIS_NAMESPACE}.svc.cluster.local:6379`;

const kubectl = (...args: readonly string[]) => mustRun("kubectl", ["--namespace", REDIS_NAMESPACE, ...args]);

/** Starts a Redis that keeps nothing when it ends, from the image `E2E_REDIS_IMAGE`. */
export async function startRedis(): Promise<void> {
  const image = process.env.E2E_REDIS_IMAGE ?? "redis:8.6.0-alpine";
  const server = ["redis-server", "--save", "", "--bind", "*", "--dir", "/tmp", "--requirepass", redisPassword];
  await kubectl("create", "namespace", REDIS_NAMESPACE);
  await kubectl("create", "deployment", "redis", `--image=${image}`, "--", ...server);
  await kubectl("expose", "deployment", "redis", "--port=6379");
  await started();
}

/** Takes it away without a goodbye, with all that it knew. */
export async function killRedis(): Promise<void> {
  await kubectl("scale", "deployment/redis", "--replicas=0");
  await kubectl("delete", "pods", "--all", "--grace-period=0", "--force");
}

/** Starts it again. */
export async function restartRedis(): Promise<void> {
  await kubectl("scale", "deployment/redis", "--replicas=1");
  await started();
}

export async function removeRedis(): Promise<void> {
  await mustRun("kubectl", ["delete", "namespace", REDIS_NAMESPACE, "--ignore-not-found", "--wait"]);
}

async function started(): Promise<void> {
  await kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", "deployment/redis", "--timeout=60s");
}
