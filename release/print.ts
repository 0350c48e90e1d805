import { styleText } from "node:util";
import type { Outcome } from "./gates/gate.ts";
import type { ReleaseEvent, ReleaseResult } from "./events.ts";

export type Print = (event: ReleaseEvent) => void;

/**
 * Says what a release does while it does it: lines for people, with colors only on a terminal; or one JSON object a line.
 */
export function printer(json: boolean): Print {
  const lastOutcomes = new Map<string, Outcome>();
  return (event) => {
    const now = new Date();
    if (!json && isRepetition(event, lastOutcomes)) return;
    const line = json ? JSON.stringify({ at: now.toISOString(), ...event }) : `${clock(now)}  ${sentence(event)}`;
    process.stdout.write(`${line}\n`);
  };
}

/** A bake asks the same gates again and again: people want to see what changed, and machines everything. */
function isRepetition(event: ReleaseEvent, lastOutcomes: Map<string, Outcome>): boolean {
  if (event.type !== "gate" || event.phase === "verify") return false;
  const repeated = event.outcome !== "fail" && lastOutcomes.get(event.gate) === event.outcome;
  lastOutcomes.set(event.gate, event.outcome);
  return repeated;
}

type Style = Parameters<typeof styleText>[0];

/** Node leaves the colors out when standard output is no terminal, or NO_COLOR is set. */
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout });

const OUTCOMES: Record<Outcome, string> = {
  pass: paint("green", "pass"),
  fail: paint("red", "fail"),
  hold: paint("yellow", "hold"),
};

const RESULTS: Record<ReleaseResult["result"], Style> = {
  done: "green",
  refused: "red",
  usage: "red",
  "rolled-back": "red",
  held: "yellow",
  interrupted: "yellow",
};

function sentence(event: ReleaseEvent): string {
  switch (event.type) {
    case "phase":
      return `${paint("bold", event.phase.padEnd(8))}  ${event.version}: ${event.from} → ${event.to}`;
    case "gate":
      return `  ${event.gate.padEnd(8)}  ${OUTCOMES[event.outcome]}  ${event.evidence}`;
    case "traffic":
      return `  ${paint("bold", "traffic")}   ${event.from} → ${event.to} in ${Math.round(event.seconds * 1000)} ms`;
    case "progress":
      return `  ${event.message}`;
    case "result":
      return `${paint(RESULTS[event.result], event.result)}: ${event.reason}`;
  }
}

const clock = (time: Date) => time.toTimeString().slice(0, 8);
