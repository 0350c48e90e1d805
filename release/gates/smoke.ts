import { callOptions, erasOf, withClient } from "../measure/client.ts";
import { Reach } from "../measure/reach.ts";
import { smokeCall } from "../measure/smoke-call.ts";
import type { Gate, Verdict } from "./gate.ts";

/**
 * Passes if a real client session, in each protocol version that the server declares, finds the tool and gets the answer
 * that the environment expects; without a tool, if there are tools. Health shows that a version runs; this shows that it is
 * right.
 */
export const smoke: Gate = {
  name: "smoke",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { smoke } = environment.release;
    const eras = erasOf(environment.server);
    const reach = new Reach(await target.probe.endpoint(color, signal), target.traffic);
    for (const era of eras) {
      const wrong = await withClient(reach.endpoint, era, signal, async (client): Promise<string | undefined> => {
        if (smoke !== undefined) {
          const { tools } = await client.listTools({}, callOptions(signal));
          if (!tools.some(({ name }) => name === smoke.tool)) return `there is no tool '${smoke.tool}'`;
        }
        return (await smokeCall(client, smoke, signal)).wrong;
      }).catch((error: unknown) => {
        signal.throwIfAborted();
        return error instanceof Error ? error.message : String(error);
      });
      if (wrong === undefined) continue;
      await reach.check(signal);
      return fail(`${era}: ${wrong}`);
    }
    const evidence = smoke === undefined ? "the server lists its tools" : `${smoke.tool} answered as expected`;
    return { outcome: "pass", evidence: `${evidence}, ${eras.join(" and ")}` };
  },
};

const fail = (evidence: string): Verdict => ({ outcome: "fail", evidence: evidence.replaceAll(/\s+/g, " ") });
