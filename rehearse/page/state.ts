import { COLORS, type Color } from "../../environment/color.ts";
import type { Outcome } from "../../release/gates/gate.ts";
import type { Phase } from "../../release/record.ts";
import type { AnnouncedGate, Billing, BreakerState, ColorOnStage, DrawnSample, Moment } from "../record/recording.ts";
import { takeInEvidence, type EvidenceSeries } from "./evidence.ts";
import { sentenceOf, type Tone } from "./sentence.ts";

export interface ActOnPage extends Billing {
  status: "to come" | "playing" | "went well" | "went wrong";
  outcome?: string;
}

export interface GateOnPage {
  readonly name: string;
  readonly phase: "verify" | "bake";
  outcome?: Outcome;
  evidence?: string;
  checks: number;
  /** The outcomes of its last checks. */
  readonly recent: Outcome[];
}

export interface ReleaseOnPage {
  readonly version: string;
  readonly from: Color;
  readonly to: Color;
  /** Phases in which the release was, the last one being where it is. */
  readonly phases: Phase[];
  result?: string;
  reason?: string;
}

/** The last time that the traffic moved. */
export interface MoveOnPage {
  readonly kind: "promote" | "rollback";
  readonly to: Color;
  /** When, in seconds since the page began. */
  readonly seconds: number;
  /** From sending the change to its confirmation; absent where only the outcome was seen. */
  readonly tookMs?: number;
}

/** A vertical line in the charts. */
export interface Mark {
  readonly seconds: number;
  readonly label: string;
  readonly kind: "act" | "promote" | "rollback" | "weather";
}

export interface LogLine {
  readonly seconds: number;
  readonly text: string;
  readonly tone: Tone;
}

/** Columns as a chart takes them; `null` is a gap. */
export interface Series {
  readonly seconds: number[];
  readonly rate: Readonly<Record<Color, (number | null)[]>>;
  readonly p95: Readonly<Record<Color, (number | null)[]>>;
}

/** All that the page shows. It follows from the moments alone, so that a replay shows what was shown. */
export interface PageState {
  startedAt: number;
  seconds: number;
  quick: boolean;
  p95LimitMs: number;
  acts: ActOnPage[];
  live: Color;
  colors: Readonly<Record<Color, ColorOnStage>>;
  announced: readonly AnnouncedGate[];
  gates: GateOnPage[];
  release?: ReleaseOnPage;
  /** Of the last bake of this release. */
  evidence: EvidenceSeries[];
  move?: MoveOnPage;
  /** When the traffic moved last, in milliseconds since the epoch. */
  movedAt: number;
  weather: "normal" | "slow" | "broken";
  breakers: readonly BreakerState[];
  calls: number;
  failures: number;
  /** The last second of traffic. */
  recent: DrawnSample[];
  series: Series;
  marks: Mark[];
  log: LogLine[];
  curtain?: { readonly ok: boolean; readonly problems: readonly string[] };
}

export function emptyState(): PageState {
  return {
    startedAt: 0,
    seconds: 0,
    quick: false,
    p95LimitMs: 300,
    acts: [],
    live: "blue",
    colors: { blue: { pods: [] }, green: { pods: [] } },
    announced: [],
    gates: [],
    evidence: [],
    movedAt: 0,
    weather: "normal",
    breakers: [],
    calls: 0,
    failures: 0,
    recent: [],
    series: { seconds: [], rate: { blue: [], green: [] }, p95: { blue: [], green: [] } },
    marks: [],
    log: [],
  };
}

/** Whether the page shows somebody's releases, without acts, their weather and gates that report to it. */
export const isWatch = ({ startedAt, acts }: PageState): boolean => startedAt > 0 && acts.length === 0;

/** Whether the page shows what servers depend on: only the bundled app's dependency is part of a rehearsal. */
export const showsDependency = ({ startedAt, acts }: PageState): boolean =>
  startedAt === 0 || acts.some(({ about }) => about === "dependency");

/** Windows that make up the last second. */
const RECENT = 4;

/** Checks of a gate that are kept one by one. */
const RECENT_CHECKS = 24;

/** Takes in the next thing that happened. */
export function takeIn(state: PageState, moment: Moment): void {
  if (state.startedAt === 0) state.startedAt = moment.at;
  const seconds = Math.max(0, (moment.at - state.startedAt) / 1000);
  state.seconds = Math.max(state.seconds, seconds);
  const sentence = sentenceOf(moment, state);
  if (sentence !== undefined) state.log.push({ seconds, ...sentence });

  switch (moment.type) {
    case "opening":
      state.quick = moment.quick;
      state.p95LimitMs = moment.p95LimitMs;
      state.acts = moment.acts.map((act) => ({ ...act, status: "to come" }));
      state.announced = moment.gates;
      state.gates = pending(moment.gates);
      break;
    case "act":
      takeInAct(state, moment, seconds);
      break;
    case "traffic":
      takeInTraffic(state, moment.sample, seconds);
      break;
    case "fleet":
      takeInFleet(state, moment, seconds);
      break;
    case "release":
      takeInRelease(state, moment.event, moment.at, seconds);
      break;
    case "weather":
      state.weather = moment.mood.mode;
      state.marks.push({ seconds, label: moment.mood.mode === "normal" ? "recovers" : "outage", kind: "weather" });
      break;
    case "breakers":
      state.breakers = moment.states;
      break;
    case "failed":
    case "note":
    case "stream":
      break;
    case "curtain":
      state.curtain = { ok: moment.ok, problems: moment.problems };
      break;
  }
}

const pending = (gates: readonly AnnouncedGate[]): GateOnPage[] =>
  (["verify", "bake"] as const).flatMap((phase) =>
    gates.filter(({ phases }) => phases.includes(phase)).map(({ name }) => ({ name, phase, checks: 0, recent: [] })),
  );

function takeInAct(state: PageState, moment: Extract<Moment, { type: "act" }>, seconds: number): void {
  const act = state.acts.find(({ number }) => number === moment.act);
  if (act === undefined) return;
  if (moment.state === "begins") {
    act.status = "playing";
    state.gates = pending(state.announced);
    delete state.release;
    state.evidence = [];
    state.marks.push({ seconds, label: `scenario ${act.number}`, kind: "act" });
  } else {
    act.status = moment.state;
    act.outcome = moment.outcome;
  }
}

function takeInTraffic(state: PageState, sample: DrawnSample, seconds: number): void {
  state.recent = [...state.recent.slice(1 - RECENT), sample];
  state.failures += sample.failures;
  state.series.seconds.push(seconds);
  for (const color of COLORS) {
    state.calls += sample.colors[color].calls;
    const p95s = state.recent.flatMap(({ colors }) => colors[color].p95Ms ?? []);
    state.series.rate[color].push(rateOf(state, color));
    state.series.p95[color].push(p95s.length === 0 ? null : p95s.reduce((sum, p95) => sum + p95, 0) / p95s.length);
  }
}

/** Calls per second that a color answered in the last second. */
export function rateOf({ recent }: PageState, color: Color): number {
  const seconds = recent.reduce((sum, sample) => sum + sample.seconds, 0);
  return seconds === 0 ? 0 : recent.reduce((sum, { colors }) => sum + colors[color].calls, 0) / seconds;
}

/** A look at the colors that began before the traffic moved shows where it was. */
function takeInFleet(state: PageState, moment: Extract<Moment, { type: "fleet" }>, seconds: number): void {
  const first = COLORS.every((color) => state.colors[color].pods.length === 0);
  state.colors = moment.colors;
  if (moment.at < state.movedAt || moment.live === state.live) return;
  state.live = moment.live;
  if (!first && isWatch(state)) noteMove(state, moment.live, seconds);
}

/** A page that only looks now and then may miss the first phases of a release. */
const beginsAnother = ({ phases }: ReleaseOnPage, phase: Phase): boolean =>
  phase === "stage" || (phases.at(-1) === "ended" && phase !== "ended" && phase !== "rollback");

function noteMove(state: PageState, to: Color, seconds: number, tookMs?: number): void {
  const kind = to === state.release?.from ? "rollback" : "promote";
  state.move = { kind, to, seconds, ...(tookMs !== undefined && { tookMs }) };
  state.marks.push({ seconds, label: kind, kind });
}

function takeInRelease(
  state: PageState,
  event: Extract<Moment, { type: "release" }>["event"],
  at: number,
  seconds: number,
): void {
  switch (event.type) {
    case "phase":
      if (state.release === undefined || beginsAnother(state.release, event.phase)) {
        state.release = { version: event.version, from: event.from, to: event.to, phases: [] };
        state.evidence = [];
      }
      // A bake that is resumed starts over.
      if (event.phase === "bake") state.evidence = [];
      state.release.phases.push(event.phase);
      // It was paused, or had ended and is being rolled back.
      delete state.release.result;
      delete state.release.reason;
      break;
    case "gate": {
      const gate = state.gates.find(({ name, phase }) => name === event.gate && phase === event.phase);
      if (gate === undefined) break;
      gate.outcome = event.outcome;
      gate.evidence = event.evidence;
      gate.checks += 1;
      gate.recent.push(event.outcome);
      if (gate.recent.length > RECENT_CHECKS) gate.recent.shift();
      break;
    }
    case "traffic":
      noteMove(state, event.to, seconds, event.seconds * 1000);
      state.live = event.to;
      state.movedAt = at;
      break;
    case "evidence":
      takeInEvidence(state.evidence, event);
      break;
    case "result":
      if (state.release !== undefined) Object.assign(state.release, { result: event.result, reason: event.reason });
      break;
    case "target":
    case "progress":
      break;
  }
}
