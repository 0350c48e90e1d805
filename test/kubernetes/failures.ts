import { errorOf } from "../../release/targets/kubernetes/api/answer.ts";
import type { ApiError, ApiErrorKind } from "../../release/targets/kubernetes/api/api-error.ts";
import { KINDS, type Kind } from "../../release/targets/kubernetes/api/kube-api.ts";

/**
 * An answer that refuses a request. The bodies were recorded from Kubernetes 1.34.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export interface Failure {
  readonly kind: ApiErrorKind;
  readonly code: number;
  readonly body: StatusObject;
  readonly retryAfterSeconds?: number;
}

export interface StatusObject {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Record<string, never>;
  readonly status: "Failure";
  readonly message: string;
  readonly reason?: string;
  readonly details?: object;
  readonly code: number;
}

/** What a failed request was about. */
export interface Subject {
  readonly verb: "get" | "list" | "create" | "patch" | "delete" | "forward";
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
}

interface Answer {
  readonly message: string;
  readonly reason?: string;
  readonly details?: object;
  readonly retryAfterSeconds?: number;
}

export function failure(kind: ApiErrorKind, code: number, { retryAfterSeconds, ...answer }: Answer): Failure {
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", ...answer, code } as const;
  return { kind, code, body, retryAfterSeconds };
}

const plural = ({ kind }: Subject) => KINDS[kind].plural;
const group = ({ kind }: Subject) => KINDS[kind].prefix.replace(/^api\/v1$|^apis\//, "").replace(/\/v\d+$/, "");
const details = (subject: Subject) => ({ name: subject.name, kind: plural(subject) });

export const notFound = (subject: Subject) =>
  failure("not-found", 404, {
    message: `${plural(subject)} "${subject.name}" not found`,
    reason: "NotFound",
    details: details(subject),
  });

/** A failed `test` and a missing path look the same. */
export const testFailed = () =>
  failure("test-failed", 422, {
    message: "the server rejected our request due to an error in our request",
    reason: "Invalid",
    details: {},
  });

export const modified = (subject: Subject) =>
  failure("conflict", 409, {
    message:
      `Operation cannot be fulfilled on ${plural(subject)} "${subject.name}": the object has been modified; ` +
      "please apply your changes to the latest version and try again",
    reason: "Conflict",
    details: details(subject),
  });

export const alreadyExists = (subject: Subject) =>
  failure("conflict", 409, {
    message: `${plural(subject)} "${subject.name}" already exists`,
    reason: "AlreadyExists",
    details: details(subject),
  });

/** A ValidatingAdmissionPolicy, which chooses the code: 422 unless it says `reason: Forbidden`. */
export const deniedByPolicy = (subject: Subject, why = "no switch on fridays", code: 422 | 403 = 422) => {
  const message = `ValidatingAdmissionPolicy 'no-switch' with binding 'no-switch' denied request: ${why}`;
  return failure("policy", code, {
    message: `${plural(subject)} "${subject.name}" is forbidden: ${message}`,
    reason: code === 422 ? "Invalid" : "Forbidden",
    details: { ...details(subject), causes: [{ message }] },
  });
};

export const invalidValue = (subject: Subject, field = "spec.minReplicas") => {
  const message = "Invalid value: -1: must be greater than or equal to 0";
  return failure("invalid", 422, {
    message: `${subject.kind} "${subject.name}" is invalid: ${field}: ${message}`,
    reason: "Invalid",
    details: {
      name: subject.name,
      kind: subject.kind,
      causes: [{ reason: "FieldValueInvalid", message, field }],
    },
  });
};

export const missingRight = (subject: Subject, user = "releaser") => {
  const [verb, resource] = subject.verb === "forward" ? ["get", "pods/portforward"] : [subject.verb, plural(subject)];
  return failure("forbidden", 403, {
    message:
      `${plural(subject)} "${subject.name}" is forbidden: User "${user}" cannot ${verb} resource "${resource}" ` +
      `in API group "${group(subject)}" in the namespace "${subject.namespace}"`,
    reason: "Forbidden",
    details: details(subject),
  });
};

export const exceededQuota = (subject: Subject) =>
  failure("quota", 403, {
    message:
      `${plural(subject)} "${subject.name}" is forbidden: exceeded quota: small, ` +
      "requested: pods=1, used: pods=4, limited: pods=4",
    reason: "Forbidden",
    details: details(subject),
  });

export const unauthorized = () => failure("unauthorized", 401, { message: "Unauthorized", reason: "Unauthorized" });

export const tooManyRequests = (retryAfterSeconds: number) =>
  failure("unreachable", 429, {
    message: "Too many requests, please try again later.",
    reason: "TooManyRequests",
    details: { retryAfterSeconds },
    retryAfterSeconds,
  });

export const tooLarge = () =>
  failure("invalid", 413, { message: "Request entity too large: limit is 3145728", reason: "RequestEntityTooLarge" });

/** An admission webhook that does not answer: 500. */
export const webhookDown = () => {
  const message = 'failed calling webhook "mirror.example.com": failed to call webhook: connection refused';
  return failure("unreachable", 500, {
    message: `Internal error occurred: ${message}`,
    reason: "InternalError",
    details: { causes: [{ message }] },
  });
};

/** What a client makes of such an answer. */
export const asApiError = ({ code, body, retryAfterSeconds }: Failure): ApiError =>
  errorOf("do this", { code, text: JSON.stringify(body), retryAfter: retryAfterSeconds?.toString() });
