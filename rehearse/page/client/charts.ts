import uPlot from "uplot";
import type { Color } from "../../../environment/color.ts";
import type { Mark, PageState } from "../state.ts";
import { FONT, stroke, style, write } from "./canvas.ts";
import { clock, part, setText } from "./dom.ts";

/** What of the time axis a live page shows; a replay shows all of it. */
const WINDOW_SECONDS = 60;

interface ChartOptions {
  readonly id: string;
  /** A value in the legend. */
  readonly say: (value: number) => string;
  readonly columns: (state: PageState) => Readonly<Record<Color, readonly (number | null)[]>>;
  /** The ends of the axis for the greatest value that is drawn. */
  readonly range: (max: number) => [number, number];
  readonly limit?: (state: PageState) => number;
  /** Draws a tenfold always as high: a p95 of 5 ms and one of 500 are both to be read. */
  readonly logarithmic?: boolean;
}

/** Calls per second and p95 of both colors, moving. */
export function createCharts(whole: boolean): (state: PageState) => void {
  const charts = [
    createChart(
      {
        id: "rate",
        say: (value) => `${Math.round(value)}/s`,
        columns: ({ series }) => series.rate,
        range: (max) => [0, Math.max(50, Math.ceil((max * 1.15) / 50) * 50)],
      },
      whole,
    ),
    createChart(
      {
        id: "p95",
        say: (value) => (value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`),
        columns: ({ series }) => series.p95,
        range: () => [0, 4.2],
        logarithmic: true,
        limit: ({ p95LimitMs }) => p95LimitMs,
      },
      whole,
    ),
  ];
  return (state) => {
    for (const draw of charts) draw(state);
  };
}

function createChart(
  { id, say, columns, range, limit, logarithmic = false }: ChartOptions,
  whole: boolean,
): (state: PageState) => void {
  const holder = part(`${id}-chart`);
  const legend = { blue: part(`${id}-blue`), green: part(`${id}-green`) };
  const height = (value: number) => (logarithmic ? Math.log10(value) : value);
  const heights = (values: readonly (number | null)[]) =>
    values.map((value) => (value === null ? null : height(value)));
  let current: PageState | undefined;
  const size = () => ({ width: Math.max(200, holder.clientWidth), height: Math.max(80, holder.clientHeight) });
  const line = (color: Color): uPlot.Series => ({
    label: color,
    stroke: () => style(`--${color}`),
    width: 2,
    ...(color === "green" && { dash: [7, 3] }),
    points: { show: false },
  });
  const axis: uPlot.Axis = {
    stroke: () => style("--muted"),
    grid: { stroke: () => style("--grid"), width: 1 },
    ticks: { show: false },
    font: FONT,
  };
  const plot = new uPlot(
    {
      ...size(),
      cursor: { show: false },
      legend: { show: false },
      padding: [10, 12, 0, 0],
      scales: { x: { time: false, range: (_, __, max) => span(max, whole) }, y: { range: (_, __, max) => range(max) } },
      series: [{}, line("blue"), line("green")],
      axes: [
        { ...axis, size: 24, values: (_, splits) => splits.map((seconds) => clock(seconds).slice(0, -2)) },
        { ...axis, size: 46, ...(logarithmic && { splits: () => [0, 1, 2, 3, 4], values: powersOfTen }) },
      ],
      hooks: {
        draw: [
          (self) => {
            if (current === undefined) return;
            if (limit !== undefined) drawLimit(self, height(limit(current)), `limit ${limit(current)} ms`);
            drawMarks(self, current.marks);
          },
        ],
      },
    },
    [[], [], []],
    holder,
  );
  new ResizeObserver(() => {
    plot.setSize(size());
  }).observe(holder);

  return (state) => {
    current = state;
    const { blue, green } = columns(state);
    plot.setData([state.series.seconds, heights(blue), heights(green)]);
    for (const color of ["blue", "green"] as const) {
      const last = columns(state)[color].at(-1);
      setText(legend[color], last === undefined || last === null ? "–" : say(last));
    }
  };
}

const powersOfTen = (_: uPlot, exponents: number[]) => exponents.map((exponent) => String(10 ** exponent));

function span(max: number, whole: boolean): [number, number] {
  const end = Number.isFinite(max) ? max : 0;
  return whole ? [0, Math.max(10, end)] : [Math.max(0, end - WINDOW_SECONDS), Math.max(end, WINDOW_SECONDS)];
}

function drawLimit(self: uPlot, height: number, label: string): void {
  const y = self.valToPos(height, "y", true);
  const { left, width } = self.bbox;
  stroke(self, style("--bad"), [2, 4], [left, y], [left + width, y]);
  write(self, label, left, y - 5 * devicePixelRatio, style("--bad"));
}

/** A line for each mark, and its label where the one before leaves room: the event log has them all. */
function drawMarks(self: uPlot, marks: readonly Mark[]): void {
  const { left, top, width, height } = self.bbox;
  const free = { act: left, event: left };
  for (const { seconds, label, kind } of marks) {
    const x = self.valToPos(seconds, "x", true);
    if (x < left || x > left + width) continue;
    const paint = style(kind === "act" ? "--muted" : kind === "promote" ? "--ink" : "--bad");
    const from = kind === "act" ? style("--grid-strong") : paint;
    stroke(self, from, kind === "act" ? [] : [4, 3], [x, top], [x, top + height]);
    const row = kind === "act" ? "act" : "event";
    const y = top + (row === "act" ? 11 : 25) * devicePixelRatio;
    free[row] = write(self, label, x, y, paint, free[row]);
  }
}
