import { createHash } from "node:crypto";
import type { Moment } from "../record/recording.ts";
import type { ActResult, RehearsalResult } from "../record/result.ts";
import { total } from "../record/tally.ts";
import { clientBundle } from "./bundle.ts";
import { escape, htmlDocument } from "./document.ts";

/** The page with all that it showed, as one file that needs no server and no network. */
export async function htmlReport(result: RehearsalResult, moments: readonly Moment[]): Promise<string> {
  const { script, style } = await clientBundle();
  // In a script element, text ends at the first `</script`, whatever it stands in; the bundler sees to that in the client.
  const data = JSON.stringify(moments).replaceAll("<", "\\u003c");
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  return htmlDocument({
    title: `A release, rehearsed: ${result.ok ? "every scenario passed" : "not every scenario passed"}`,
    heading: "A release, rehearsed",
    bodyClass: "report",
    head: `<meta http-equiv="Content-Security-Policy" content="${escape(policy)}">\n<style>${style}</style>`,
    tail: `${summary(result)}
<script type="application/json" id="recording">${data}</script>
<script>${script}</script>`,
  });
}

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

function summary({ acts, totals, seconds, startedAt, machine, problems }: RehearsalResult): string {
  return `<section class="panel summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
<table>
<thead><tr>${COLUMNS.map(({ title, number }) => `<th scope="col"${number ? NUMBER : ""}>${title}</th>`).join("")}</tr></thead>
<tbody>
${acts.map(row).join("\n")}
</tbody>
</table>
${problems.map((problem) => `<p data-tone="bad">${escape(problem)}</p>`).join("\n")}
<p>${totals.calls.toLocaleString("en-US")} calls, ${total(totals.failures)} failed, in ${seconds.toFixed(1)} s on ${escape(startedAt)}. ${escape(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}`)}.</p>
</section>`;
}

function row({
  number,
  title,
  ok,
  outcome,
  calls,
  failures,
  latencyMs,
  bySource,
  switches,
  seconds,
}: ActResult): string {
  const answers = Object.entries(bySource).map(([source, count]) => `${count} ${source}`);
  const moves = switches.map(({ kind, from, to, lastOldAnswerMs }) => `${kind} ${from} → ${to}: ${lastOldAnswerMs} ms`);
  const cells = [
    `${ok ? "✓" : "✕"} ${escape(outcome)}`,
    calls.toLocaleString("en-US"),
    String(total(failures)),
    `${latencyMs.p95.toFixed(1)} ms`,
    answers.join(", "),
    moves.join("<br>") || "none",
    seconds.toFixed(1),
  ];
  const tone = ` data-tone="${ok ? "good" : "bad"}"`;
  return `<tr><th scope="row">${number}. ${escape(title)}</th>${cells.map((cell, index) => td(cell, index + 1, index === 0 ? tone : "")).join("")}</tr>`;
}

const NUMBER = ` class="number"`;

const COLUMNS = [
  { title: "Scenario", number: false },
  { title: "Outcome", number: false },
  { title: "Calls", number: true },
  { title: "Failed", number: true },
  { title: "p95", number: true },
  { title: "Answers", number: false },
  { title: "Switch, to the old color's last answer", number: false },
  { title: "Seconds", number: true },
];

/** A cell that can stand without the head of its column, as it does on a phone. */
function td(markup: string, column: number, attributes: string): string {
  const { title = "", number = false } = COLUMNS[column] ?? {};
  return `<td data-label="${escape(title)}"${number ? NUMBER : ""}${attributes}>${markup === "" ? "none" : `<span>${markup}</span>`}</td>`;
}
