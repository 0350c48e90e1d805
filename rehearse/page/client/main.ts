import type { Moment } from "../../record/recording.ts";
import { emptyState, takeIn } from "../state.ts";
import { createAct } from "./act.ts";
import { createCharts } from "./charts.ts";
import { createDependency } from "./dependency.ts";
import { createEvidenceCharts } from "./evidence-chart.ts";
import { part, set, setText } from "./dom.ts";
import { createHeader } from "./header.ts";
import { createLog } from "./log.ts";
import { createRelease } from "./release.ts";
import { createReplay } from "./replay.ts";
import { createScene } from "./scene.ts";

const recorded = document.getElementById("recording");
const views = [
  createHeader(),
  createScene(),
  createCharts(recorded !== null),
  createEvidenceCharts(),
  createAct(),
  createRelease(),
  createDependency(),
  createLog(),
];
let state = emptyState();

function draw(): void {
  for (const view of views) view(state);
}

function say(text: string, tone: "plain" | "good" | "bad"): void {
  const status = part("status");
  setText(status, text);
  set(status, { "data-tone": tone });
}

function sayEnd(): void {
  if (state.curtain !== undefined) {
    const { ok } = state.curtain;
    say(ok ? "✓ Every scenario passed" : "✕ Not every scenario passed", ok ? "good" : "bad");
  }
}

if (recorded === null) {
  let due = false;
  const events = new EventSource("events");
  events.onopen = () => {
    // Whoever connects again is told everything again.
    state = emptyState();
    say("● live", "plain");
  };
  events.onmessage = ({ data }: MessageEvent<string>) => {
    takeIn(state, JSON.parse(data) as Moment);
    if (state.curtain !== undefined) events.close();
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      draw();
      sayEnd();
    });
  };
  events.onerror = () => {
    if (state.curtain === undefined) say("✕ the rehearsal has ended or cannot be reached", "bad");
  };
  draw();
} else {
  const moments = JSON.parse(recorded.textContent) as Moment[];
  createReplay(moments, (until) => {
    state = emptyState();
    for (const moment of moments) if (moment.at <= until) takeIn(state, moment);
    draw();
    say("recorded", "plain");
    sayEnd();
  });
}
