import type { Moment } from "../../record/recording.ts";
import { clock, html, part, set, setText } from "./dom.ts";

const TICK_MS = 100;

/**
 * Lets the reader of a report move through the recorded time, or watch it again.
 *
 * @param show draws the page as it was at a time, in milliseconds since the epoch
 */
export function createReplay(moments: readonly Moment[], show: (until: number) => void): void {
  const begin = moments[0]?.at ?? 0;
  const length = Math.max(...moments.map(({ at }) => at)) - begin;
  const range = html("input", {
    type: "range",
    min: 0,
    max: Math.ceil(length),
    step: TICK_MS,
    "aria-label": "Time in the rehearsal",
  });
  const button = html("button", { type: "button" }, "▶ Watch again");
  const time = html("output", {});
  let timer: number | undefined;

  const at = (elapsed: number): void => {
    range.value = String(elapsed);
    setText(time, clock(elapsed / 1000));
    set(range, { "aria-valuetext": clock(elapsed / 1000) });
    show(begin + elapsed);
  };
  const pause = (): void => {
    clearInterval(timer);
    timer = undefined;
    setText(button, "▶ Watch again");
  };
  button.addEventListener("click", () => {
    if (timer !== undefined) {
      pause();
      return;
    }
    if (Number(range.value) >= length) at(0);
    setText(button, "‖ Pause");
    timer = window.setInterval(() => {
      at(Math.min(length, Number(range.value) + TICK_MS));
      if (Number(range.value) >= length) pause();
    }, TICK_MS);
  });
  range.addEventListener("input", () => {
    pause();
    at(Number(range.value));
  });
  part("replay").append(button, range, time);
  at(Math.ceil(length));
}
