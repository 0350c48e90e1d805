import { erasOf, withClient } from "../measure/client.ts";
import { boundOf, sum, type CallHistogram } from "../measure/histogram.ts";
import { smokeCall } from "../measure/smoke-call.ts";
import { inOneLine } from "./in-one-line.ts";
import type { ContractCheck, ContractContext, ContractLine } from "./line.ts";

const WITHOUT = "a bake measures its synthetic calls alone and sees no failure of live traffic";

/** The described histogram counts the calls of the server, by bounds that can tell a slow call. */
export const metrics: ContractCheck = async (context) => {
  const { environment, target } = context;
  const what = "metrics";
  const { metrics } = environment.server;
  if (metrics === undefined || target.measurements === undefined) {
    const without = `${WITHOUT}; name a page and a histogram in server.metrics`;
    return [{ what, found: "lacks", evidence: "no page is declared", without }];
  }
  const before = await counted(context);
  if (typeof before === "string") return [{ what, found: "wrong", evidence: before, without: WITHOUT }];
  await call(context);
  const after = await counted(context);
  if (typeof after === "string") return [{ what, found: "wrong", evidence: after, without: WITHOUT }];
  return [...counts(context, before, after), ...errors(context)];
};

function counts({ environment }: ContractContext, before: CallHistogram, after: CallHistogram): ContractLine[] {
  const { metrics } = environment.server;
  const { smoke, bake } = environment.release;
  const what = "metrics";
  const { histogram = "", methodLabel } = metrics ?? {};
  const made = after.calls - before.calls;
  if (after.buckets.size === 0) {
    // A server may have no sample before its first call.
    const why = methodLabel === undefined ? "" : ` with ${methodLabel}="tools/call"`;
    const evidence = `no sample of '${histogram}_bucket'${why}${smoke === undefined ? "; a smoke call (release.smoke) makes one" : " after a call"}`;
    return [{ what, found: smoke === undefined ? "unknown" : "wrong", evidence, without: WITHOUT }];
  }
  const objective = bake.maxP95Ms / 1000;
  const bound = boundOf(after, objective);
  const bounds = [...after.buckets.keys()].filter(Number.isFinite).sort((a, b) => a - b);
  const slow: ContractLine =
    bound !== undefined && Math.abs(bound - objective) < 1e-9 * objective
      ? {
          what: "latency",
          found: "ok",
          evidence: `the histogram has the bound ${objective} s of release.bake.maxP95Ms`,
        }
      : {
          what: "latency",
          found: "wrong",
          evidence: `the histogram has no bound of ${objective} s (release.bake.maxP95Ms); it has ${bounds.join(", ")}`,
          without: bound === undefined ? "every live call counts as slow" : `calls above ${bound} s count as slow`,
        };
  const called = smoke === undefined ? "" : `, ${made} more after a call`;
  if (smoke !== undefined && made < 1) {
    return [{ what, found: "wrong", evidence: `'${histogram}' did not count a call`, without: WITHOUT }, slow];
  }
  return [{ what, found: "ok", evidence: `'${histogram}': ${after.calls} calls${called}` }, slow];
}

function errors({ environment }: ContractContext): ContractLine[] {
  const label = environment.server.metrics?.errorLabel;
  if (label !== undefined) return [{ what: "errors", found: "ok", evidence: `label '${label}' is declared` }];
  const without = "no live call counts as failed; synthetic calls alone find failures";
  return [{ what: "errors", found: "lacks", evidence: "no server.metrics.errorLabel", without }];
}

/** The calls of all pods, or why they cannot be read. */
async function counted({ target, color, signal }: ContractContext): Promise<CallHistogram | string> {
  try {
    const { pods, unread } = (await target.measurements?.calls(color, signal)) ?? { pods: new Map(), unread: [] };
    return unread.length > 0 ? unread.join("; ") : sum([...pods.values()]);
  } catch (error) {
    signal.throwIfAborted();
    return inOneLine(error);
  }
}

/** What becomes of the call itself, other lines say. */
async function call({ environment, endpoint, signal }: ContractContext): Promise<void> {
  const { smoke } = environment.release;
  const [era = "legacy"] = erasOf(environment.server);
  await withClient(endpoint, era, signal, (client) => smokeCall(client, smoke, signal)).catch(() => undefined);
  signal.throwIfAborted();
}
