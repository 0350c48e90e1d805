import type { PageState } from "../state.ts";
import { clock, html, part } from "./dom.ts";

/** The event log: grows at its end, and stays there unless the reader has scrolled up. */
export function createLog(): (state: PageState) => void {
  const list = part("log");
  let shown = 0;
  return ({ log }) => {
    if (log.length < shown) {
      list.replaceChildren();
      shown = 0;
    }
    if (log.length === shown) return;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    for (const { seconds, text, tone } of log.slice(shown)) {
      list.append(
        html("li", { "data-tone": tone }, html("time", {}, clock(seconds)), html("span", { title: text }, text)),
      );
    }
    shown = log.length;
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
}
