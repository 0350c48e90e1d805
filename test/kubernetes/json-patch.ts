import type { Operation } from "../../release/targets/kubernetes/api/kube-api.ts";
import { copy, same } from "./json.ts";

/** A `test` that did not hold, or a path that does not exist. The API server answers both alike. */
export class PatchFailed extends Error {
  override readonly name = "PatchFailed";
}

/**
 * Applies a JSON patch as the API server does, with its exceptions to the RFC: a `test` with the value null passes for a
 * missing key, but not for a missing map.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902
 * @throws PatchFailed
 */
export function applied<T extends object>(document: T, operations: readonly Operation[]): T {
  const root = copy(document);
  for (const operation of operations) apply(root, operation);
  return root;
}

type Container = Record<string, unknown>;

function apply(root: object, { op, path, value }: Operation): void {
  const keys = path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  const container = keys.reduce<unknown>((at, key) => (isContainer(at) ? at[key] : undefined), root);
  if (!isContainer(container)) throw new PatchFailed(`${op} ${path}: no such map`);
  const exists = Object.hasOwn(container, last) && container[last] !== undefined;
  if (op === "test") {
    const found = exists ? container[last] : null;
    if (!same(found, value ?? null)) throw new PatchFailed(`test ${path}`);
    return;
  }
  if (op !== "add" && !exists) throw new PatchFailed(`${op} ${path}: no such key`);
  if (op === "remove") Reflect.deleteProperty(container, last);
  else container[last] = copy(value);
}

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null;
