import type { MoveOnPage, PageState } from "../state.ts";
import { clock, set, setText, svg } from "./dom.ts";
import type { SceneLayout } from "./scene-layout.ts";

const RADIUS = 25;

/** The live route as a switch: a lever that points to the live color, and swings when the traffic moves. */
export function createSwitch({ hub, hubTexts }: SceneLayout) {
  const { x, y } = hub;
  const texts = ["hub-title", "hub-to", "box-line"].map((name, line) =>
    svg("text", { x: hubTexts.x, y: hubTexts.y[line] ?? 0, "text-anchor": hubTexts.anchor, class: name }),
  );
  const lever = svg(
    "g",
    { class: "lever" },
    svg("line", { x1: x, y1: y, x2: x + RADIUS - 6, y2: y }),
    svg("circle", { cx: x, cy: y, r: 6 }),
  );
  lever.style.transformOrigin = `${x}px ${y}px`;
  let ring = svg("circle", { cx: x, cy: y, r: RADIUS, class: "ring" });
  const element = svg(
    "g",
    { class: "hub" },
    ring,
    svg("circle", { cx: x, cy: y, r: RADIUS, class: "hub-plate" }),
    lever,
    ...texts,
  );
  let shown: MoveOnPage | undefined;

  const [title, to, move] = texts;
  if (title) setText(title, "Live route");
  return {
    element,
    show({ live, move: last, seconds }: PageState): void {
      set(element, { class: `hub ${live}` });
      lever.style.transform = `rotate(${hub.angle[live]}deg)`;
      if (to) setText(to, `→ ${live}`);
      if (move) setText(move, last === undefined ? "" : inWords(last));
      if (last?.seconds === shown?.seconds && last?.to === shown?.to) return;
      shown = last;
      // A ring that has run does not run again. A new one is drawn for a move that has just happened.
      const next = svg("circle", { cx: x, cy: y, r: RADIUS, class: "ring" });
      if (last !== undefined && seconds - last.seconds < 3) next.classList.add(last.kind);
      ring.replaceWith(next);
      ring = next;
    },
  };
}

const inWords = ({ kind, seconds, tookMs }: MoveOnPage): string =>
  tookMs === undefined ? `${kind} at ${clock(seconds)}` : `${kind} in ${tookMs.toFixed(1)} ms`;
