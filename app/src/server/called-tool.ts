import { isObject } from "../json/is-object.ts";

const called = new WeakMap<Request, string>();

/**
 * Remembers the tool that a request calls, if it does nothing else. Each request needs a server,
 * and registering all tools would be most of its cost.
 */
export function rememberCalledTool(request: Request, body: unknown): Request {
  if (!isObject(body) || body.method !== "tools/call" || !isObject(body.params)) return request;
  const { name } = body.params;
  if (typeof name === "string") called.set(request, name);
  return request;
}

/** Undefined for a request that may need every tool. */
export function calledTool(request: Request | undefined): string | undefined {
  return request === undefined ? undefined : called.get(request);
}
