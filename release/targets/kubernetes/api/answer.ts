import { z } from "zod";
import { ApiError } from "./api-error.ts";

/** An answer of the API server, or of something on the way that answers in its place. */
export interface Answer {
  readonly code: number;
  /** The header `Retry-After`. */
  readonly retryAfter: string | undefined;
  readonly text: string;
}

const statusSchema = z.object({
  kind: z.literal("Status"),
  message: z.string().default(""),
  reason: z.string().default(""),
  details: z
    .object({
      name: z.string().default(""),
      retryAfterSeconds: z.number().optional(),
      causes: z.array(z.object({ message: z.string().default(""), field: z.string().default("") })).default([]),
    })
    .default({ name: "", causes: [] }),
});

type Status = z.infer<typeof statusSchema>;

/**
 * Turns an answer that is no success into an error. The body tells the kind and not the code: a webhook chooses its own code,
 * and 403 and 422 have five meanings between them.
 *
 * @param what the request, such as "read Service 'app'"
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export function errorOf(what: string, answer: Answer): ApiError {
  const status = statusOf(answer);
  if (status === undefined) return foreign(what, answer);
  const error = (kind: ApiError["kind"], message: string) => new ApiError(kind, line(`could not ${what}: ${message}`));
  const { message, reason, details } = status;
  if (/denied (the )?request/.test(message)) return error("policy", message);
  if (message.includes("exceeded quota")) return error("quota", message);
  if (answer.code === 429 || answer.code === 408 || answer.code >= 500 || reason === "Expired") {
    const text = line(`could not ${what}: the API server answered ${answer.code}: ${message}`);
    return new ApiError("unreachable", text, retryAfterMs(answer, details.retryAfterSeconds));
  }
  const right = RIGHT.exec(message)?.groups;
  if (right !== undefined) return error("forbidden", missingRight(right, message));
  switch (answer.code) {
    case 401:
      return error("unauthorized", `the API server does not accept the credentials: ${message}`);
    // Admission that is built in, such as pod security or a namespace that is being deleted.
    case 403:
      return error("policy", message);
    case 404:
      return error("not-found", message);
    case 409:
      return error("conflict", message);
  }
  const causes = details.causes.filter(({ field }) => field !== "");
  if (causes.length > 0) {
    // Several checks of the API server may refuse one value in the same words.
    const problems = new Set(causes.map((cause) => `${cause.field}: ${cause.message}`));
    return error("invalid", [...problems].join("; "));
  }
  if (answer.code === 422) {
    return details.causes.length === 0
      ? error("test-failed", "the object is not as the change expects it")
      : error("policy", message);
  }
  return error("invalid", message);
}

/** Whether the API server says that this object does not exist. A 404 of another origin, or of a whole API, says less. */
export function isMissing(name: string, answer: Answer): boolean {
  const status = answer.code === 404 ? statusOf(answer) : undefined;
  return status?.reason === "NotFound" && status.details.name === name;
}

function statusOf({ text }: Answer): Status | undefined {
  try {
    return statusSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** No API server wrote this: a proxy, a load balancer or a login page, or it is the server of something else. */
function foreign(what: string, answer: Answer): ApiError {
  const text = answer.text.trim() === "" ? "" : `: ${answer.text.trim().slice(0, 120)}`;
  const message = line(`could not ${what}: the server answered ${answer.code} without a Kubernetes status${text}`);
  if (answer.code === 401) return new ApiError("unauthorized", message);
  if (answer.code === 404) return new ApiError("not-found", message);
  return new ApiError("unreachable", message, retryAfterMs(answer));
}

const RIGHT = /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"/;

function missingRight({ user, verb, resource, group }: Record<string, string | undefined>, message: string): string {
  const inGroup = group === "" ? "" : ` in the API group '${group}'`;
  const namespace = /in the namespace "([^"]+)"/.exec(message)?.[1];
  const where = namespace === undefined ? "" : ` in namespace '${namespace}'`;
  return `'${user}' lacks a right: no Role bound to it${where} allows '${verb}' on '${resource}'${inGroup}`;
}

function retryAfterMs({ retryAfter }: Answer, seconds?: number): number | undefined {
  if (retryAfter === undefined || retryAfter === "") return seconds === undefined ? undefined : seconds * 1000;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** One line that a terminal can show. A policy's message may be long, and it is what a person needs. */
export const line = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, " ").slice(0, 1000);
