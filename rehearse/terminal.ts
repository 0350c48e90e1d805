import { styleText } from "node:util";
import { sentenceOf, type Before, type Tone } from "./page/sentence.ts";
import { emptyState, takeIn } from "./page/state.ts";
import type { Recording } from "./record/recording.ts";
import type { ActResult, RehearsalResult } from "./record/result.ts";
import { total } from "./record/tally.ts";

type Style = Parameters<typeof styleText>[0];

/** Node leaves the colors out when standard output is no terminal, or NO_COLOR is set. */
const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

const STYLES: Readonly<Record<Tone, Style>> = { plain: "dim", strong: "bold", good: "green", bad: "red" };

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Failed calls that are shown one by one; a broken run must not scroll everything else away. */
const FAILURES_SHOWN = 10;

/** Says in the terminal what happens, while it happens. */
export function narrate(recording: Recording): void {
  const state = emptyState();
  let failures = 0;
  recording.follow((moment) => {
    const before: Before = { gates: state.gates.map((gate) => ({ ...gate })) };
    takeIn(state, moment);
    if (moment.type === "failed" && ++failures > FAILURES_SHOWN) return;
    if (moment.type === "curtain") return;
    if (moment.type === "act" && moment.state === "begins") {
      const { title = "", story = "" } = state.acts.find(({ number }) => number === moment.act) ?? {};
      say(`\n${paint("bold", `Scenario ${moment.act}. ${title}`)}\n${paint("dim", story)}`);
      return;
    }
    const sentence = sentenceOf(moment, before);
    if (sentence === undefined) return;
    say(`${paint("dim", `${state.seconds.toFixed(1).padStart(6)} s`)}  ${paint(STYLES[sentence.tone], sentence.text)}`);
  });
}

/** The end: a table of the scenarios, and the problems. */
export function printSummary(result: RehearsalResult): void {
  const { acts, skipped, totals, seconds, ok, problems } = result;
  const rows = [HEAD, ...acts.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  say("");
  for (const [index, row] of rows.entries()) {
    const line = row
      .map((cell, column) =>
        NUMERIC.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("   ")
      .trimEnd();
    say(index === 0 ? paint("dim", line) : line);
  }
  for (const { number, title, reason } of skipped)
    say(paint("dim", `–   ${number}. ${title} does not apply: ${reason}`));
  const { p50, p95 } = totals.latencyMs;
  const dropped = totals.dropped === 0 ? "" : `, ${totals.dropped.toLocaleString("en-US")} not made for a full line`;
  say(
    `\n${totals.calls.toLocaleString("en-US")} calls, ${total(totals.failures)} failed${dropped}, p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, in ${seconds.toFixed(1)} s`,
  );
  if (totals.sessionsEnded > 0) {
    say(
      `${totals.sessionsEnded} sessions ended with a switch; their clients began another one and made the call again`,
    );
  }
  say(ok ? paint("green", "Every scenario passed.") : paint("red", "Problems:"));
  for (const problem of problems) say(paint("red", `  ${problem}`));
}

const HEAD = ["", "scenario", "outcome", "calls", "failed", "p95 ms", "switch ms", "seconds"];

/** Columns of numbers, which align at their right. */
const NUMERIC = new Set([3, 4, 5, 6, 7]);

const cells = ({ ok, number, title, outcome, calls, failures, latencyMs, switches, seconds }: ActResult): string[] => [
  ok ? "✓" : "✕",
  `${number}. ${title}`,
  outcome,
  calls.toLocaleString("en-US"),
  String(total(failures)),
  latencyMs.p95.toFixed(1),
  switches.map(({ lastOldAnswerMs }) => lastOldAnswerMs.toFixed(1)).join(", ") || "–",
  seconds.toFixed(1),
];
