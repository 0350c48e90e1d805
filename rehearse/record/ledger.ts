import { COLORS, type Color } from "../../environment/color.ts";
import type { ReleaseEvent, Stamped } from "../../release/events.ts";
import type { TrafficReport, TrafficSample } from "../traffic/sample.ts";
import type { Recording } from "./recording.ts";
import { SwitchTimer, type Switch } from "./switch.ts";
import { drawn, Tally, total, type Calls } from "./tally.ts";

/** What an act amounts to. */
export interface ActAccount extends Calls {
  readonly switches: readonly Switch[];
}

/** Keeps the books: takes in what traffic and releases report, for the recording, for the act under way and for the whole. */
export class Ledger {
  readonly #recording: Recording;
  readonly #switches = new SwitchTimer();
  readonly #totals = new Tally();
  #act = new Tally();
  #calls = 0;
  #rollingBack = false;
  readonly #versions = new Map<Color, string>();

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Says which version a color runs from now on, for answers that do not say it themselves. */
  learn(color: Color, version: string): void {
    this.#versions.set(color, version);
  }

  /** Calls so far. */
  get calls(): number {
    return this.#calls;
  }

  readonly hearTraffic = (report: TrafficReport): void => {
    if (report.type === "sample") {
      const sample = this.#named(report.sample);
      this.#totals.add(sample);
      this.#act.add(sample);
      this.#calls += total(sample.callers);
      this.#switches.addPulses(sample.pulses);
      this.#recording.add({ type: "traffic", sample: drawn(sample) }, sample.at);
    } else if (report.type === "failed") {
      this.#totals.addFailed(report.call);
      this.#act.addFailed(report.call);
      this.#recording.add(report, report.call.at);
    } else {
      this.#recording.add(report);
    }
  };

  readonly hearRelease = (event: Stamped<ReleaseEvent>): void => {
    const at = Date.parse(event.at);
    this.#recording.add({ type: "release", event }, at);
    if (event.type === "phase") {
      this.#rollingBack = event.phase === "rollback";
      if (event.phase === "stage") this.learn(event.to, event.version);
    }
    if (event.type === "traffic") {
      const { from, to } = event;
      const changeMs = Math.round(event.seconds * 10_000) / 10;
      this.#switches.addMove({
        kind: this.#rollingBack ? "rollback" : "promote",
        from,
        to,
        sentAt: at - changeMs,
        changeMs,
      });
    }
  };

  /** The bundled app names its version in each answer; of another server only the color is known, by the route. */
  #named(sample: TrafficSample): TrafficSample {
    const colors = { ...sample.colors };
    for (const color of COLORS) {
      const { calls, versions } = colors[color];
      const version = this.#versions.get(color);
      if (calls === 0 || version === undefined || Object.keys(versions).length > 0) continue;
      colors[color] = { ...colors[color], versions: { [version]: calls } };
    }
    return { ...sample, colors };
  }

  /** What happened since the last act was closed. */
  closeAct(): ActAccount {
    const account = { ...this.#act.calls(), switches: this.#switches.take() };
    this.#act = new Tally();
    return account;
  }

  totals(): Calls {
    return this.#totals.calls();
  }
}
