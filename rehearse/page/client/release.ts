import type { PageState } from "../state.ts";
import { createCheckList } from "./check-list.ts";
import { part, set, setText } from "./dom.ts";
import { createPhases } from "./phases.ts";

const SAID: Readonly<Record<string, string>> = { "rolled-back": "rolled back" };

/** The phases that a release goes through, the gates with what they saw, and how it ended. */
export function createRelease(): (state: PageState) => void {
  const result = part("result");
  const lists = { verify: createCheckList(part("gates-verify")), bake: createCheckList(part("gates-bake")) };
  const showPhases = createPhases();

  return (state) => {
    const { release, gates } = state;
    showPhases(state);
    for (const { name, phase, outcome, evidence = "", checks, recent } of gates) {
      lists[phase](name, {
        ...(outcome && { outcome }),
        evidence: checks > 1 ? `${evidence} · check ${checks}` : evidence,
        ...(phase === "bake" && { recent }),
      });
    }
    const ended = release?.result;
    setText(
      result,
      ended === undefined ? "" : `${release?.version ?? ""} ${SAID[ended] ?? ended}: ${release?.reason ?? ""}`,
    );
    set(result, { "data-tone": ended === "released" || ended === "done" ? "good" : "bad" });
  };
}
