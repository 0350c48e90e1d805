import { keepCalling, type Era } from "./caller.ts";
import type { ConnectionKind } from "./connection.ts";
import { keepListening } from "./listener.ts";
import { ASKED_FOR, pulse, weatherIn } from "./question.ts";
import type { TrafficReport } from "./sample.ts";
import { Sampler } from "./sampler.ts";

/**
 * The traffic, a process of its own: what it measures must not depend on how busy anyone else's event loop is.
 *
 * Started by traffic/process.ts with the URL and the calls per second as arguments; it ends when told, and when its parent is gone.
 */
const [url = "", rate = ""] = process.argv.slice(2);

/** Callers of each kind that ask for weather: both eras, keeping connections and opening new ones. */
const WEATHER_CALLERS = 3;

/** Calls per second of each pulse caller; there are two, so that a switch is timed to about 20 ms. */
const PULSE_RATE = 25;

const WINDOW_MS = 250;

const report = (message: TrafficReport): void => {
  process.send?.(message);
};

const stop = new AbortController();
const sampler = new Sampler(report);
const questions = ASKED_FOR.map(weatherIn);
const anyWeather = () => questions[Math.floor(Math.random() * questions.length)] ?? pulse;

const endpoint = new URL(url);
const common = { url: endpoint, sampler, signal: stop.signal };
const kinds: readonly { connection: ConnectionKind; era: Era }[] = [
  { connection: "kept", era: "legacy" },
  { connection: "kept", era: "modern" },
  { connection: "fresh", era: "legacy" },
  { connection: "fresh", era: "modern" },
];
const callsPerSecond = (Number(rate) - 2 * PULSE_RATE) / (kinds.length * WEATHER_CALLERS);

const windows = setInterval(() => {
  sampler.flush();
}, WINDOW_MS);

process.on("message", (message) => {
  if (message === "flush") sampler.flush();
  if (message === "stop") stop.abort();
});
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group; the parent decides when traffic ends.
process.on("SIGINT", () => undefined);

await Promise.all([
  ...kinds.flatMap((kind) =>
    Array.from({ length: WEATHER_CALLERS }, () =>
      keepCalling({ ...common, ...kind, callsPerSecond, next: anyWeather }),
    ),
  ),
  ...(["legacy", "modern"] as const).map((era) =>
    keepCalling({ ...common, connection: "fresh", era, callsPerSecond: PULSE_RATE, next: () => pulse }),
  ),
  keepListening({ url: endpoint, sampler, signal: stop.signal, report }),
]);
clearInterval(windows);
sampler.flush();
process.disconnect();
