import type { Outcome } from "../../../release/gates/gate.ts";
import { html, set, setText } from "./dom.ts";

/** What stands for an outcome besides its color. */
const GLYPHS: Readonly<Record<Outcome | "none", string>> = { pass: "✓", fail: "✕", inconclusive: "‖", none: "·" };

export interface Check {
  readonly outcome?: Outcome;
  /** What was seen, in one line. */
  readonly evidence: string;
  /** Outcomes of the last checks, if there is more than one. */
  readonly recent?: readonly Outcome[];
}

/** A list of things that light up, each with what was seen. Rows are found again by their name. */
export function createCheckList(list: HTMLElement): (name: string, check: Check) => void {
  const rows = new Map<string, ReturnType<typeof createRow>>();
  return (name, check) => {
    let row = rows.get(name);
    if (row === undefined) {
      row = createRow(name);
      rows.set(name, row);
      list.append(row.element);
    }
    row.show(check);
  };
}

function createRow(name: string) {
  const glyph = html("span", { class: "gate-glyph", "aria-hidden": "true" });
  const spoken = html("span", { class: "visually-hidden" });
  const seen = html("span", { class: "gate-evidence" });
  const strip = html("span", { class: "gate-checks", "aria-hidden": "true" });
  const element = html("li", {}, glyph, html("span", { class: "gate-name" }, name), spoken, seen, strip);
  return {
    element,
    show({ outcome, evidence, recent = [] }: Check): void {
      set(element, { "data-outcome": outcome ?? "none" });
      setText(glyph, GLYPHS[outcome ?? "none"]);
      setText(spoken, outcome ?? "not checked yet");
      setText(seen, evidence);
      set(seen, { title: evidence });
      while (strip.childElementCount > recent.length) strip.lastElementChild?.remove();
      for (const [index, one] of recent.entries()) {
        set(strip.children[index] ?? strip.appendChild(html("i")), { "data-outcome": one });
      }
    },
  };
}
