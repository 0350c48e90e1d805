import type { Phase } from "../../../release/record.ts";
import type { PageState } from "../state.ts";
import { createCheckList } from "./check-list.ts";
import { html, part, set, setText } from "./dom.ts";

const PHASES: readonly Phase[] = ["stage", "verify", "promote", "bake", "retire", "rollback"];

const SAID: Readonly<Record<string, string>> = { "rolled-back": "rolled back" };

/** The phases a release goes through, the gates with what they saw, and how it ended. */
export function createRelease(): (state: PageState) => void {
  const phases = part("phases");
  const result = part("result");
  const lists = { verify: createCheckList(part("gates-verify")), bake: createCheckList(part("gates-bake")) };
  const steps = new Map(PHASES.map((phase) => [phase, phases.appendChild(html("li", {}, phase))]));

  return (state) => {
    const { release, gates } = state;
    showPhases(state, steps);
    for (const { name, phase, outcome, evidence = "", looks } of gates) {
      lists[phase](name, {
        ...(outcome && { outcome }),
        evidence: looks > 1 ? `${evidence} · look ${looks}` : evidence,
      });
    }
    const ended = release?.result;
    setText(
      result,
      ended === undefined ? "" : `${release?.version ?? ""} ${SAID[ended] ?? ended}: ${release?.reason ?? ""}`,
    );
    set(result, { "data-tone": ended === "released" ? "good" : "bad" });
  };
}

function showPhases({ release }: PageState, steps: ReadonlyMap<Phase, HTMLElement>): void {
  const been = release?.phases ?? [];
  const now = release?.result === undefined ? been.at(-1) : undefined;
  for (const [phase, step] of steps) {
    set(step, { "data-state": phase === now ? "now" : been.includes(phase) ? "been" : "to come" });
    if (phase === now) set(step, { "aria-current": "step" });
    else step.removeAttribute("aria-current");
  }
}
