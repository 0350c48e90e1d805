import { erasOf, withClient } from "../measure/client.ts";
import { smokeCall } from "../measure/smoke-call.ts";
import { inOneLine } from "./in-one-line.ts";
import type { ContractCheck } from "./line.ts";

/** A call with a known answer. */
export const smoke: ContractCheck = async ({ environment, endpoint, signal }) => {
  const what = "smoke call";
  const { smoke } = environment.release;
  if (smoke === undefined) {
    const without = "the gates list the tools instead, and find no version whose answers are wrong";
    return [{ what, found: "lacks", evidence: "no release.smoke", without }];
  }
  const without = "the gate 'smoke' fails, and the release is aborted";
  const [era = "legacy"] = erasOf(environment.server);
  const start = performance.now();
  const wrong = await withClient(endpoint, era, signal, (client) => smokeCall(client, smoke, signal)).then(
    ({ wrong }) => wrong,
    inOneLine,
  );
  signal.throwIfAborted();
  const ms = Math.round(performance.now() - start);
  return [
    wrong === undefined
      ? { what, found: "ok", evidence: `${smoke.tool} answered in ${ms} ms` }
      : { what, found: "wrong", evidence: wrong, without },
  ];
};
