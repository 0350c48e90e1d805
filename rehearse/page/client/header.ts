import type { ActOnPage, PageState } from "../state.ts";
import { clock, html, part, set, setText } from "./dom.ts";

/** What stands for a status besides its color. */
const GLYPHS: Readonly<Record<ActOnPage["status"], string>> = {
  "to come": "",
  playing: "▶",
  "went well": "✓",
  "went wrong": "✕",
};

/** The four acts and the three numbers that matter. */
export function createHeader(): (state: PageState) => void {
  const acts = part("acts");
  const numbers = { calls: part("calls"), failures: part("failures"), clock: part("clock") };
  const items: HTMLElement[] = [];

  return (state) => {
    for (const [index, act] of state.acts.entries()) {
      const item = (items[index] ??= acts.appendChild(
        html(
          "li",
          {},
          html("span", { class: "act-badge", "aria-hidden": "true" }),
          html("span", { class: "act-title" }, act.title),
          html("span", { class: "act-status" }),
        ),
      ));
      const [badge, , status] = item.children;
      set(item, { "data-status": act.status, ...(act.status === "playing" && { "aria-current": "step" }) });
      if (act.status !== "playing") item.removeAttribute("aria-current");
      if (badge) setText(badge, GLYPHS[act.status] || String(act.number));
      if (status) setText(status, act.outcome ?? act.status);
    }
    setText(numbers.calls, state.calls.toLocaleString("en-US"));
    setText(numbers.failures, state.failures.toLocaleString("en-US"));
    set(numbers.failures, { "data-tone": state.failures === 0 ? "good" : "bad" });
    setText(numbers.clock, clock(state.seconds));
  };
}
