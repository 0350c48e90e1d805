import { COLORS, type Color } from "../../../environment/color.ts";
import { isWatch, rateOf, showsDependency, type PageState } from "../state.ts";
import { createColorCard } from "./color-card.ts";
import { part, set, setText, svg } from "./dom.ts";
import { createFlow } from "./flow.ts";
import { NARROW, WIDE, type Box, type SceneLayout } from "./scene-layout.ts";
import { createSwitch } from "./switch.ts";

/** The scene for this screen, drawn anew when the screen turns narrow or wide. */
export function createScene(): (state: PageState) => void {
  const narrow = matchMedia("(max-width: 640px)");
  let last: PageState | undefined;
  let show = drawScene(narrow.matches ? NARROW : WIDE);
  narrow.addEventListener("change", () => {
    show = drawScene(narrow.matches ? NARROW : WIDE);
    if (last !== undefined) show(last);
  });
  return (state) => {
    last = state;
    show(state);
  };
}

/** Clients, the switch, two colors, what they depend on, and between them what flows. */
function drawScene(layout: SceneLayout): (state: PageState) => void {
  const description = svg("desc", { id: "scene-text" });
  const trunk = createFlow("trunk", layout.trunk);
  const flows = perColor((color) => ({
    calls: createFlow(color, layout.lanes[color]),
    weather: createFlow("weather", layout.weatherLanes[color]),
  }));
  const clients = createBox(layout.clients, "MCP clients", layout.name === "narrow");
  const weather = createBox(layout.weather, "Weather API", layout.name === "narrow");
  weather.element.classList.add("weather");
  const cards = perColor((color) => createColorCard(layout, color));
  const lever = createSwitch(layout);
  part("scene").replaceChildren(
    svg(
      "svg",
      { viewBox: layout.viewBox, role: "img", "aria-labelledby": "scene-title scene-text", class: layout.name },
      svg("title", { id: "scene-title" }, "Where the traffic flows"),
      description,
      trunk.element,
      ...COLORS.flatMap((color) => [flows[color].calls.element, flows[color].weather.element]),
      clients.element,
      ...COLORS.map((color) => cards[color].element),
      weather.element,
      lever.element,
    ),
  );

  return (state) => {
    const rates = perColor((color) => rateOf(state, color));
    const all = rates.blue + rates.green;
    const { unanswered } = state.recent.at(-1) ?? {};
    clients.say([
      `${Math.round(all)} calls/s`,
      unanswered === undefined ? "" : `${unanswered.toLocaleString("en-US")} unanswered`,
      // Which clients a server of somebody's own has depends on the versions that it speaks.
      isWatch(state) || !showsDependency(state) ? "" : "2025 and 2026 clients",
    ]);
    // Little's law: with so many calls waiting, a call waits for longer than the limit.
    const late = (unanswered ?? 0) > Math.max(10, (all * state.p95LimitMs) / 1000);
    set(clients.element, { "data-late": String(late) });
    trunk.show(all > 0 ? 1 : 0);
    for (const color of COLORS) {
      const share = all === 0 ? 0 : rates[color] / all;
      flows[color].calls.show(share);
      set(flows[color].calls.element, { "data-live": String(state.live === color) });
      flows[color].weather.show(state.weather === "broken" ? 0 : share * 0.6);
      cards[color].show(state, rates[color]);
    }
    lever.show(state);
    const open = state.breakers.filter((breaker) => breaker === "open").length;
    weather.say([
      WEATHER[state.weather],
      state.breakers.length === 0 ? "" : open > 0 ? `breakers open: ${open}` : "breakers closed",
      answersFrom(state),
    ]);
    set(weather.element, { "data-tone": state.weather === "normal" ? "plain" : "bad" });
    const flowing = COLORS.map((color) => `${color} answers ${Math.round(rates[color])} calls per second`).join(", ");
    const dependency = showsDependency(state) ? `; the weather API is ${state.weather}` : "";
    setText(description, `${state.live} is live; ${flowing}${dependency}.`);
  };
}

const perColor = <T>(of: (color: Color) => T): Readonly<Record<Color, T>> => ({ blue: of("blue"), green: of("green") });

const WEATHER = { normal: "✓ answers", slow: "◔ slow", broken: "✕ down" };

function answersFrom({ recent }: PageState): string {
  const cached = recent.reduce((sum, { sources }) => sum + (sources.cached ?? 0), 0);
  const all = recent.reduce(
    (sum, { sources }) => sum + (sources.live ?? 0) + (sources.cached ?? 0) + (sources.static ?? 0),
    0,
  );
  return all === 0 ? "" : cached === 0 ? "answers live" : `${Math.round((cached / all) * 100)} % cached`;
}

/** A box with a title and up to three lines: below each other, or, if it is wide and low, in two columns. */
function createBox({ x, y, width, height }: Box, title: string, low: boolean) {
  const right = { x: x + width - 12, "text-anchor": "end" };
  const left = { x: x + 12 };
  const places = low
    ? [
        { ...right, y: y + 26 },
        { ...left, y: y + 50 },
        { ...right, y: y + 50 },
      ]
    : [50, 70, 88].map((down) => ({ ...left, y: y + down }));
  const lines = places.map((place, line) => svg("text", { ...place, class: line === 0 ? "box-first" : "box-line" }));
  const element = svg(
    "g",
    { class: "box" },
    svg("rect", { x, y, width, height, rx: 12 }),
    svg("text", { ...left, y: y + 26, class: "box-title" }, title),
    ...lines,
  );
  return {
    element,
    say(texts: readonly string[]) {
      for (const [line, text] of lines.entries()) setText(text, texts[line] ?? "");
    },
  };
}
