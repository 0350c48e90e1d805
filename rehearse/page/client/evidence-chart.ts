import uPlot from "uplot";
import {
  evidenceInWords,
  percent,
  shownEvidence,
  verdictOf,
  type EvidenceSeries,
  type Objective,
  type Verdict,
} from "../evidence.ts";
import { isWatch, type PageState } from "../state.ts";
import { FONT, stroke, style, write } from "./canvas.ts";
import { part, set, setText } from "./dom.ts";

const OBJECTIVES: readonly Objective[] = ["failed", "slow"];

/** Glyphs, because outcomes must be legible without color. */
const VERDICTS: Readonly<Record<Verdict, string>> = {
  above: "✕ above the limit",
  below: "✓ below the limit",
  undecided: "‖ not decided yet",
};

/** What the bake knows of failed and of slow calls: estimate and interval against the limit, over the calls. */
export function createEvidenceCharts(): (state: PageState) => void {
  const charts = OBJECTIVES.map(createChart);
  return (state) => {
    for (const draw of charts) draw(state);
  };
}

function createChart(objective: Objective): (state: PageState) => void {
  const holder = part(`${objective}-chart`);
  const verdict = part(`${objective}-verdict`);
  const numbers = part(`${objective}-numbers`);
  let shown: EvidenceSeries | undefined;
  let paint = "--ink";
  const size = () => ({ width: Math.max(200, holder.clientWidth), height: Math.max(70, holder.clientHeight) });
  const axis: uPlot.Axis = {
    stroke: () => style("--muted"),
    grid: { stroke: () => style("--grid"), width: 1 },
    ticks: { show: false },
    font: FONT,
  };
  const edge: uPlot.Series = { stroke: () => style(paint), width: 1, points: { show: false } };
  const plot = new uPlot(
    {
      ...size(),
      cursor: { show: false },
      legend: { show: false },
      padding: [8, 14, 0, 0],
      scales: {
        x: { time: false, range: (_, __, max) => [0, Math.max(20, (Number.isFinite(max) ? max : 0) * 1.04)] },
        y: { range: () => [0, top(shown)] },
      },
      series: [
        {},
        edge,
        edge,
        { stroke: () => style(paint), width: 2, points: { show: true, size: 5, fill: () => style(paint) } },
      ],
      bands: [{ series: [1, 2], fill: () => `color-mix(in srgb, ${style(paint)} 16%, transparent)` }],
      axes: [
        { ...axis, size: 24, values: (_, splits) => splits.map((calls) => calls.toLocaleString("en")) },
        { ...axis, size: 46, space: 26, values: (_, splits) => splits.map(percent) },
      ],
      hooks: {
        draw: [
          (self) => {
            if (shown === undefined) return;
            const { left, width } = self.bbox;
            const y = self.valToPos(shown.limit, "y", true);
            stroke(self, style("--bad"), [2, 4], [left, y], [left + width, y], 1.5);
            write(self, `limit ${percent(shown.limit)}`, left, y - 5 * devicePixelRatio, style("--bad"));
            drawInterval(self, shown, style(paint));
          },
        ],
      },
    },
    [[], [], [], []],
    holder,
  );
  new ResizeObserver(() => {
    plot.setSize(size());
  }).observe(holder);

  return (state) => {
    shown = shownEvidence(state.evidence, objective);
    holder.style.visibility = shown === undefined ? "hidden" : "visible";
    const points = shown?.points ?? [];
    const decision = shown && verdictOf(shown);
    paint = decision === "above" ? "--bad" : `--${state.release?.to ?? "ink"}`;
    plot.setData([
      points.map(({ calls }) => calls),
      points.map(({ upper }) => upper),
      points.map(({ lower }) => lower),
      points.map(({ share }) => share),
    ]);
    setText(verdict, decision === undefined ? "" : VERDICTS[decision]);
    set(verdict, { "data-tone": decision === "above" ? "bad" : decision === "below" ? "good" : "plain" });
    setText(numbers, shown === undefined ? "no calls in a bake yet" : evidenceInWords(shown, isWatch(state)));
  };
}

/** The last interval as a bar with ends: how well the share is known by now. */
function drawInterval(self: uPlot, { points }: EvidenceSeries, paint: string): void {
  const last = points.at(-1);
  if (last === undefined) return;
  const x = self.valToPos(last.calls, "x", true);
  const end = 5 * devicePixelRatio;
  const highest = self.bbox.top;
  const lower = self.valToPos(last.lower, "y", true);
  const upper = Math.max(highest, self.valToPos(last.upper, "y", true));
  stroke(self, paint, [], [x, lower], [x, upper], 2);
  for (const y of [lower, upper]) stroke(self, paint, [], [x - end, y], [x + end, y], 2);
}

/** The end of the axis: the limit stays well above the ground, and the last interval is whole. */
function top(series: EvidenceSeries | undefined): number {
  const last = series?.points.at(-1);
  return series === undefined || last === undefined ? 1 : Math.min(1, Math.max(2.5 * series.limit, 1.15 * last.upper));
}
