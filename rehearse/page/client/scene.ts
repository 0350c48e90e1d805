import { COLORS, type Color } from "../../../environment/color.ts";
import { isWatch, rateOf, type PageState } from "../state.ts";
import { part, set, setText, svg } from "./dom.ts";
import { createFlow } from "./flow.ts";

const CARD = { x: 364, width: 208, height: 122 };
const TOP: Readonly<Record<Color, number>> = { blue: 14, green: 164 };
const MIDDLE: Readonly<Record<Color, number>> = { blue: TOP.blue + 61, green: TOP.green + 61 };

/** Clients on the left, two colors in the middle, what they depend on at the right, and between them what flows. */
export function createScene(): (state: PageState) => void {
  const root = svg("svg", { viewBox: "0 0 760 300", role: "img", "aria-labelledby": "scene-title scene-text" });
  const description = svg("desc", { id: "scene-text" });
  root.append(svg("title", { id: "scene-title" }, "Where the traffic flows"), description);

  const flows = Object.fromEntries(
    COLORS.map((color) => [
      color,
      {
        calls: createFlow(color, `M 152 150 H 196 C 286 150 276 ${MIDDLE[color]} ${CARD.x} ${MIDDLE[color]}`),
        weather: createFlow(
          "weather",
          `M ${CARD.x + CARD.width} ${MIDDLE[color]} C 606 ${MIDDLE[color]} 590 150 624 150`,
        ),
      },
    ]),
  ) as Record<Color, { calls: ReturnType<typeof createFlow>; weather: ReturnType<typeof createFlow> }>;
  for (const color of COLORS) root.append(flows[color].calls.element, flows[color].weather.element);

  const clients = box(root, { x: 8, y: 98, width: 144, height: 104 }, "MCP clients");
  const colors = { blue: createColor(root, "blue"), green: createColor(root, "green") };
  const weather = box(root, { x: 624, y: 98, width: 128, height: 104 }, "Weather API");
  weather.element.classList.add("weather");
  part("scene").append(root);

  return (state) => {
    const rates = { blue: rateOf(state, "blue"), green: rateOf(state, "green") };
    const all = rates.blue + rates.green;
    const callers = isWatch(state) ? [] : ["both protocol eras", "kept and new sockets"];
    clients.say([`${Math.round(all)} calls/s`, ...callers]);
    for (const color of COLORS) {
      const share = all === 0 ? 0 : rates[color] / all;
      flows[color].calls.show(share);
      flows[color].weather.show(state.weather === "broken" ? 0 : share * 0.6);
      colors[color](state, rates[color]);
    }
    const open = state.breakers.filter((breaker) => breaker === "open").length;
    weather.say([
      WEATHER[state.weather],
      state.breakers.length === 0 ? "" : open > 0 ? `breakers open: ${open}` : "breakers closed",
      answersFrom(state),
    ]);
    set(weather.element, { "data-tone": state.weather === "normal" ? "plain" : "bad" });
    const flowing = COLORS.map((color) => `${color} answers ${Math.round(rates[color])} calls per second`).join(", ");
    setText(description, `${state.live} is live; ${flowing}; the weather API is ${state.weather}.`);
  };
}

const WEATHER = { normal: "✓ answers", slow: "◔ slow", broken: "✕ down" };

function answersFrom({ recent }: PageState): string {
  const cached = recent.reduce((sum, { sources }) => sum + (sources.cached ?? 0), 0);
  const all = recent.reduce(
    (sum, { sources }) => sum + (sources.live ?? 0) + (sources.cached ?? 0) + (sources.static ?? 0),
    0,
  );
  return all === 0 ? "" : cached === 0 ? "answers live" : `${Math.round((cached / all) * 100)} % cached`;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function box(root: SVGElement, { x, y, width, height }: Place, title: string) {
  const lines = [0, 1, 2].map((line) =>
    svg("text", { x: x + 12, y: y + 48 + line * 19, class: line === 0 ? "box-first" : "box-line" }),
  );
  const element = svg(
    "g",
    { class: "box" },
    svg("rect", { x, y, width, height, rx: 12 }),
    svg("text", { x: x + 12, y: y + 24, class: "box-title" }, title),
    ...lines,
  );
  root.append(element);
  return {
    element,
    say(texts: readonly string[]) {
      for (const [line, text] of lines.entries()) setText(text, texts[line] ?? "");
    },
  };
}

/** The card of one color: what it runs, on how many pods, and whether users see it. */
function createColor(root: SVGElement, color: Color): (state: PageState, rate: number) => void {
  const { x, width, height } = CARD;
  const y = TOP[color];
  const role = svg("text", { x: x + width - 14, y: y + 26, class: "role" });
  const version = svg("text", { x: x + 16, y: y + 66, class: "version" });
  const rateText = svg("text", { x: x + width - 14, y: y + 66, class: "rate" });
  const pods = svg("g", { class: "pods" });
  const podText = svg("text", { x: x + width - 14, y: y + 102, class: "box-line pod-text" });
  const element = svg(
    "g",
    { class: `color ${color}` },
    svg("rect", { x, y, width, height, rx: 14 }),
    svg("text", { x: x + 16, y: y + 26, class: "color-name" }, color === "blue" ? "Blue" : "Green"),
    role,
    version,
    rateText,
    pods,
    podText,
  );
  root.append(element);

  return (state, rate) => {
    const { version: running, pods: running_ } = state.colors[color];
    const live = state.live === color;
    set(element, { "data-live": String(live), "data-empty": String(running_.length === 0) });
    setText(role, roleOf(state, color));
    setText(version, running ?? "nothing yet");
    set(version, { class: running === undefined ? "version none" : "version" });
    setText(rateText, running === undefined ? "" : `${Math.round(rate)}/s`);
    const ready = running_.filter((pod) => pod.ready).length;
    setText(podText, running_.length === 0 ? "no pods" : `${ready} of ${running_.length} pods ready`);
    while (pods.childElementCount > running_.length) pods.lastElementChild?.remove();
    for (const [index, pod] of running_.entries()) {
      const dot =
        pods.children[index] ??
        pods.appendChild(svg("rect", { x: x + 16 + index * 24, y: y + 89, width: 18, height: 18, rx: 5 }));
      set(dot, { "data-ready": String(pod.ready) });
    }
  };
}

function roleOf({ live, release, colors }: PageState, color: Color): string {
  const phase = release?.result === undefined ? release?.phases.at(-1) : undefined;
  if (color === live) return phase === "bake" && release?.to === color ? "● LIVE · baking" : "● LIVE";
  if (phase === "stage" && release?.to === color) return "○ being staged";
  if (phase === "verify" && release?.to === color) return "○ being verified";
  if (phase === "bake") return "○ kept ready";
  if (release?.to === color && release.result === "aborted") return "✕ aborted";
  if (release?.to === color && release.result === "rolled-back") return "✕ rolled back";
  return colors[color].version === undefined ? "○ idle" : "○ idle, standby";
}
