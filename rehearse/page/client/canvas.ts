import type uPlot from "uplot";

export type Point = readonly [x: number, y: number];

/** Text sizes of a chart are those of the page, whatever the resolution of the canvas. */
export const FONT = "11px system-ui, sans-serif";

/** A color of the style sheet, as it is in the light or dark of the moment. */
export const style = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A line in device pixels. */
export function stroke(
  { ctx }: uPlot,
  paint: string,
  dash: readonly number[],
  from: Point,
  to: Point,
  width = 1,
): void {
  ctx.save();
  ctx.strokeStyle = paint;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.restore();
}

/**
 * Writes to the right of a line, to its left where the chart ends, and not at all where another label stands.
 *
 * @param free where there is room from
 * @returns where there is room from now on
 */
export function write(
  { ctx, bbox }: uPlot,
  text: string,
  x: number,
  y: number,
  paint: string,
  free = bbox.left,
): number {
  const gap = 4 * devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.fillStyle = paint;
  const { width } = ctx.measureText(text);
  const start = x + gap + width <= bbox.left + bbox.width ? x + gap : x - gap - width;
  const fits = start >= free;
  if (fits) ctx.fillText(text, start, y);
  ctx.restore();
  return fits ? start + width + gap : free;
}
