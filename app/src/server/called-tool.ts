import { isObject } from "../json/is-object.ts";

const called = new WeakMap<Request, string>();

/**
 * Remembers which tool a request calls, if that is all it does. A server is made for each request,
 * and most of what that takes is registering tools that the request does not call.
 */
export function rememberCalledTool(request: Request, body: unknown): Request {
  if (!isObject(body) || body.method !== "tools/call" || !isObject(body.params)) return request;
  const { name } = body.params;
  if (typeof name === "string") called.set(request, name);
  return request;
}

/** Nothing for a request that may need every tool. */
export function calledTool(request: Request | undefined): string | undefined {
  return request === undefined ? undefined : called.get(request);
}
