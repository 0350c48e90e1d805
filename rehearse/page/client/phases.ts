import { LINE, phaseLine, type StepState } from "../phase-line.ts";
import type { PageState } from "../state.ts";
import { html, part, set, setText } from "./dom.ts";

/** For screen readers, which learn of the step of now by `aria-current`. */
const SPOKEN: Readonly<Record<StepState | "not taken", string>> = {
  "to come": ", to come",
  "not taken": ", not taken",
  now: "",
  been: ", done",
  stopped: ", left here",
};

/** The phases of a release as a line, and rollback as a branch off the phase that failed. */
export function createPhases(): (state: PageState) => void {
  const list = part("phases");
  const steps = LINE.map((phase) => ({ phase, ...createStep(phase) }));
  const rollback = createStep("rollback");
  rollback.element.classList.add("branch");
  for (const { phase, element } of steps) {
    list.append(element);
    if (phase === "bake") list.append(rollback.element);
  }
  return ({ release }) => {
    const line = phaseLine({ phases: release?.phases ?? [], ...(release?.result && { result: release.result }) });
    for (const step of steps) step.show(line.steps[step.phase]);
    rollback.show(line.rollback.state);
    set(rollback.element, { "data-from": line.rollback.from });
  };
}

function createStep(name: string) {
  const spoken = html("span", { class: "visually-hidden" });
  const element = html("li", {}, html("span", { class: "step" }, name), spoken);
  return {
    element,
    show(state: StepState | "not taken"): void {
      set(element, { "data-state": state });
      setText(spoken, SPOKEN[state]);
      if (state === "now") set(element, { "aria-current": "step" });
      else element.removeAttribute("aria-current");
    },
  };
}
