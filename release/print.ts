import { styleText } from "node:util";
import type { Outcome } from "./gates/gate.ts";
import type { ReleaseEvent, ReleaseResult } from "./events.ts";

export type Print = (event: ReleaseEvent) => void;

/** Prints the events of a release: lines for people, with colors only on a terminal, or one JSON object a line. */
export function printer(json: boolean): Print {
  const lastOutcomes = new Map<string, Outcome>();
  return (event) => {
    // Nothing of a release happened, so the message has no time. Programs get it as their last object, too.
    if (isMistake(event)) process.stderr.write(`${event.reason}\n`);
    const now = new Date();
    if (json) {
      process.stdout.write(`${JSON.stringify({ at: now.toISOString(), ...event })}\n`);
      return;
    }
    if (isMistake(event)) return;
    const text = isRepetition(event, lastOutcomes) ? undefined : sentence(event);
    if (text !== undefined) process.stdout.write(`${clock(now)}  ${text}\n`);
  };
}

type Result = Extract<ReleaseEvent, { type: "result" }>;

/** The command did not run, found pods that hang, or crashed. */
const isMistake = (event: ReleaseEvent): event is Result =>
  event.type === "result" && ["usage", "not-started", "not-ready", "crash"].includes(event.result);

/** A bake repeats its gates. People want to see changes only; machines get everything. */
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
  inconclusive: paint("yellow", "inconclusive"),
};

const RESULTS: Record<ReleaseResult["result"], Style> = {
  done: "green",
  released: "green",
  aborted: "red",
  "rolled-back": "red",
  "paused-old-live": "yellow",
  "paused-new-live": "red",
  "lease-held": "yellow",
  "not-started": "yellow",
  "not-ready": "red",
  usage: "red",
  crash: "red",
};

/** Nothing for what only programs read. */
function sentence(event: ReleaseEvent): string | undefined {
  switch (event.type) {
    case "evidence":
      return undefined;
    case "target":
      return event.description.join("; ");
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
