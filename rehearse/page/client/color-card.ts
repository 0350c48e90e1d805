import type { Color } from "../../../environment/color.ts";
import type { PageState } from "../state.ts";
import { set, setText, svg } from "./dom.ts";
import type { SceneLayout } from "./scene-layout.ts";

/** Units between two pods, unless there are too many for that. */
const POD_PITCH = 22;

/** The card of one color: which version it runs, on how many pods, and whether users see it. */
export function createColorCard(layout: SceneLayout, color: Color) {
  const { x, y, width, height } = layout.cards[color];
  const narrow = layout.name === "narrow";
  const right = x + width - 14;
  // On a phone, the role and the number of pods have lines of their own.
  const rows = narrow ? { role: 44, version: 78, pods: 90, text: 126 } : { role: 25, version: 60, pods: 77, text: 92 };
  const role = svg("text", {
    x: narrow ? x + 14 : right,
    y: y + rows.role,
    "text-anchor": narrow ? "start" : "end",
    class: "role",
  });
  const version = svg("text", { x: x + 14, y: y + rows.version, class: "version" });
  const rate = svg("text", { x: right, y: y + rows.version, "text-anchor": "end", class: "rate" });
  const pods = svg("g", { class: "pods" });
  const podText = svg("text", {
    x: narrow ? x + 14 : right,
    y: y + rows.text,
    "text-anchor": narrow ? "start" : "end",
    class: "box-line",
  });
  const element = svg(
    "g",
    { class: `color ${color}` },
    svg("rect", { x, y, width, height, rx: 14 }),
    svg("text", { x: x + 14, y: y + 25, class: "color-name" }, color === "blue" ? "Blue" : "Green"),
    role,
    version,
    rate,
    pods,
    podText,
  );

  return {
    element,
    show(state: PageState, callsPerSecond: number): void {
      const { version: running, pods: all } = state.colors[color];
      set(element, { "data-live": String(state.live === color), "data-empty": String(all.length === 0) });
      setText(role, roleOf(state, color));
      setText(version, running === undefined ? "nothing yet" : shortened(running));
      set(version, { class: running === undefined ? "version none" : "version" });
      version.style.fontSize = running === undefined ? "" : `${sizeOf(running, width - 100)}px`;
      setText(rate, running === undefined ? "" : `${Math.round(callsPerSecond)}/s`);
      const ready = all.filter((pod) => pod.ready).length;
      setText(podText, all.length === 0 ? "no pods" : `${ready} of ${all.length} pods ready`);

      const pitch = Math.min(POD_PITCH, (width - (narrow ? 28 : 144)) / Math.max(1, all.length));
      while (pods.childElementCount > all.length) pods.lastElementChild?.remove();
      for (const [index, pod] of all.entries()) {
        const square = pods.children[index] ?? pods.appendChild(svg("rect", { y: y + rows.pods, height: 17, rx: 5 }));
        const gap = Math.min(5, pitch / 3);
        set(square, { x: x + 14 + index * pitch, width: pitch - gap, "data-ready": String(pod.ready) });
      }
    },
  };
}

const LONGEST_VERSION = 16;

const shortened = (version: string): string =>
  version.length <= LONGEST_VERSION ? version : `${version.slice(0, LONGEST_VERSION - 1)}…`;

/** The size at which a version fits beside the rate: a bold digit is about 0.58 em wide. */
const sizeOf = (version: string, room: number): number =>
  Math.min(27, room / (0.58 * Math.min(version.length, LONGEST_VERSION)));

function roleOf({ live, release, colors }: PageState, color: Color): string {
  const phase = release?.result === undefined ? release?.phases.at(-1) : undefined;
  if (color === live) return phase === "bake" && release?.to === color ? "● LIVE · baking" : "● LIVE";
  if (phase === "stage" && release?.to === color) return "○ being staged";
  if (phase === "verify" && release?.to === color) return "○ being verified";
  if (phase === "bake") return "○ standby";
  if (release?.to === color && release.result === "aborted") return "✕ aborted";
  if (release?.to === color && release.result === "rolled-back") return "✕ rolled back";
  return colors[color].version === undefined ? "○ idle" : "○ idle, standby";
}
