import { isWatch, showsDependency, type PageState } from "../state.ts";
import { part, set, setText } from "./dom.ts";

/** Which act is on, what it shows, and which parts of the page belong to it; or whose release is watched. */
export function createAct(): (state: PageState) => void {
  const panel = part("act");
  const title = part("act-title");
  const story = part("act-story");
  const latency = part("p95-title");
  return (state) => {
    set(document.body, { "data-watch": String(isWatch(state)), "data-dependency": String(showsDependency(state)) });
    const act = state.acts.findLast(({ status }) => status !== "to come");
    setText(title, isWatch(state) ? released(state) : act ? `Scenario ${act.number}. ${act.title}` : "Starting");
    // What clients wait for is longer than what pods count, and a bake is about the latter.
    setText(latency, isWatch(state) ? "p95 in the pods" : "p95 for clients");
    setText(
      story,
      isWatch(state)
        ? ""
        : (act?.story ?? "Building four versions, starting the fake weather API and two pods of blue."),
    );
    set(panel, { "data-about": act?.about ?? "release" });
    set(document.body, { "data-about": act?.about ?? "release" });
  };
}

const released = ({ release }: PageState): string =>
  release === undefined ? "No release yet" : `${release.version}: ${release.from} → ${release.to}`;
