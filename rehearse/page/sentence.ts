import type { Moment } from "../record/recording.ts";

export type Tone = "plain" | "strong" | "good" | "bad";

export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** The gates as they stood before the moment: a gate that says the same again is no news. */
export interface Before {
  readonly gates: readonly { readonly name: string; readonly phase: string; readonly outcome?: string }[];
}

const plain = (text: string): Sentence => ({ text, tone: "plain" });
const strong = (text: string): Sentence => ({ text, tone: "strong" });
const good = (text: string): Sentence => ({ text, tone: "good" });
const bad = (text: string): Sentence => ({ text, tone: "bad" });

/** What happened in words, for the event log and the terminal; nothing for what the charts show better. */
export function sentenceOf(moment: Moment, before: Before): Sentence | undefined {
  switch (moment.type) {
    case "opening":
    case "traffic":
    case "fleet":
      return undefined;
    case "act":
      if (moment.state === "begins") return strong(`Scenario ${moment.act} begins`);
      return (moment.state === "went well" ? good : bad)(`Scenario ${moment.act} ${moment.state}: ${moment.outcome}`);
    case "weather":
      return moment.mood.mode === "normal"
        ? good("the weather API works again")
        : bad(`the weather API is ${moment.mood.mode}`);
    case "breakers":
      return moment.states.length === 0 ? undefined : plain(`breakers of the live pods: ${moment.states.join(", ")}`);
    case "failed":
      return bad(`a call failed (${moment.call.failure}): ${moment.call.message}`);
    case "note":
      return (moment.bad ? bad : plain)(moment.text);
    case "stream":
      return plain(
        `listen stream ${moment.state === "open" ? "open" : "ended by the server, opening again"}${moment.color ? ` (${moment.color})` : ""}`,
      );
    case "release":
      return ofRelease(moment.event, before);
    case "curtain":
      return moment.ok ? good("Every scenario passed") : bad(`Problems: ${moment.problems.join("; ")}`);
  }
}

function ofRelease(event: Extract<Moment, { type: "release" }>["event"], { gates }: Before): Sentence | undefined {
  switch (event.type) {
    case "phase":
      return strong(
        event.phase === "ended" ? "release ended" : `${event.phase} ${event.version}: ${event.from} → ${event.to}`,
      );
    case "gate": {
      const same = gates.some(
        ({ name, phase, outcome }) => name === event.gate && phase === event.phase && outcome === event.outcome,
      );
      if (same && event.outcome === "pass") return undefined;
      const text = `${event.gate}: ${event.outcome}, ${event.evidence}`;
      return event.outcome === "pass" ? good(text) : bad(text);
    }
    case "traffic":
      return strong(`traffic ${event.from} → ${event.to} in ${(event.seconds * 1000).toFixed(1)} ms`);
    case "target":
    case "evidence":
      return undefined;
    case "progress":
      return plain(event.message);
    case "result":
      return (event.result === "released" ? good : bad)(`${event.result}: ${event.reason}`);
  }
}
