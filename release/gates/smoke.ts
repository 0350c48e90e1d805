import { z } from "zod";
import { Reach } from "../measure/reach.ts";
import { callOptions, ERAS, withClient } from "../measure/client.ts";
import type { Gate, Verdict } from "./gate.ts";

/**
 * Passes if a real client session, in each protocol version, finds the tool and gets the answer that the environment
 * expects. Health shows that a version runs; this shows that it is right.
 */
export const smoke: Gate = {
  name: "smoke",
  phases: ["verify"],
  async check({ target, color, environment, signal }) {
    const { tool, arguments: args, expect } = environment.release.smoke;
    const reach = new Reach(await target.probe.endpoint(color, signal), target.traffic);
    for (const era of ERAS) {
      const verdict = await withClient(reach.endpoint, era, signal, async (client): Promise<Verdict> => {
        const { tools } = await client.listTools({}, callOptions(signal));
        if (!tools.some(({ name }) => name === tool)) return fail(`${era}: there is no tool '${tool}'`);
        const answer = await client.callTool({ name: tool, arguments: args }, callOptions(signal));
        if (answer.isError) return fail(`${era}: ${tool} failed: ${JSON.stringify(answer.content).slice(0, 200)}`);
        const { error } = expect.safeParse(answer.structuredContent);
        if (error === undefined) return { outcome: "pass", evidence: "" };
        const got = JSON.stringify(answer.structuredContent ?? "nothing").slice(0, 200);
        return fail(`${era}: ${tool}(${JSON.stringify(args)}) answered ${got}: ${z.prettifyError(error)}`);
      }).catch((error: unknown) => {
        signal.throwIfAborted();
        return fail(`${era}: ${error instanceof Error ? error.message : String(error)}`);
      });
      if (verdict.outcome === "pass") continue;
      await reach.check(signal);
      return verdict;
    }
    return { outcome: "pass", evidence: `${tool} answered as expected, ${ERAS.join(" and ")}` };
  },
};

const fail = (evidence: string): Verdict => ({ outcome: "fail", evidence: evidence.replaceAll(/\s+/g, " ") });
