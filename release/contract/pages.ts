import type { FromPods } from "../ports/probe.ts";
import { inOneLine } from "./in-one-line.ts";
import type { ContractCheck, ContractLine } from "./line.ts";

/** A page of the server's health. */
export const health: ContractCheck = async ({ target, color, signal }) => {
  const what = "health";
  const without = "the gate 'health' counts ready pods instead; name a page in server.health";
  if (target.probe.health === undefined) return [{ what, found: "lacks", evidence: "no page is declared", without }];
  return await answered(what, signal, target.probe.health(color, signal), (pods) =>
    pods.map(({ pod, status, why }) => `${pod} ${status}${why === undefined ? "" : ` (${why})`}`),
  );
};

/** A page that names the running version. */
export const version: ContractCheck = async ({ target, color, signal }) => {
  const what = "version";
  const without = "the gate 'version' compares the color's image instead; name a page in server.version";
  if (target.probe.versions === undefined) return [{ what, found: "lacks", evidence: "no page is declared", without }];
  return await answered(what, signal, target.probe.versions(color, signal), (pods) =>
    pods.map(({ pod, version }) => `${pod} ${version}`),
  );
};

async function answered<T>(
  what: string,
  signal: AbortSignal,
  request: Promise<FromPods<readonly T[]>>,
  words: (pods: readonly T[]) => readonly string[],
): Promise<readonly ContractLine[]> {
  const without = `the gate '${what}' is inconclusive, and a release pauses; correct server.${what}`;
  try {
    const { pods, unread } = await request;
    if (unread.length > 0) return [{ what, found: "wrong", evidence: unread.join("; "), without }];
    return [{ what, found: "ok", evidence: words(pods).join(", ") }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ what, found: "wrong", evidence: inOneLine(error), without }];
  }
}
