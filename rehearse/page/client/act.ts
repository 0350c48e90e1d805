import type { PageState } from "../state.ts";
import { part, set, setText } from "./dom.ts";

/** Which act is on, what it is to show, and which of the two panels belongs to it. */
export function createAct(): (state: PageState) => void {
  const panel = part("act");
  const title = part("act-title");
  const story = part("act-story");
  return ({ acts }) => {
    const act = acts.findLast(({ status }) => status !== "to come");
    setText(title, act === undefined ? "Setting the stage" : `Act ${act.number}. ${act.title}`);
    setText(story, act?.story ?? "Building four versions, starting the weather API's stand-in and two pods of blue.");
    set(panel, { "data-about": act?.about ?? "release" });
  };
}
