import { arrive } from "./arrivals.ts";
import { Callers } from "./callers.ts";
import type { CallerKind } from "./caller.ts";
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

/** Clients of each kind that ask for weather: at most 40 such calls are in flight, and 240 in line, about a second's arrivals. */
const WEATHER_CALLERS = { least: 3, most: 10, line: 60 };

/** Pulse calls per second of each era, so that a switch is timed to about 20 ms. */
const PULSE_RATE = 25;

const PULSE_CALLERS = { least: 1, most: 4, line: 25 };

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
const kinds: readonly CallerKind[] = [
  { connection: "kept", era: "legacy" },
  { connection: "kept", era: "modern" },
  { connection: "fresh", era: "legacy" },
  { connection: "fresh", era: "modern" },
];
const weatherRate = (Number(rate) - 2 * PULSE_RATE) / kinds.length;
const all = [
  ...kinds.map((kind) => ({
    perSecond: weatherRate,
    callers: new Callers({ ...common, ...kind, ...WEATHER_CALLERS, next: anyWeather }),
  })),
  ...(["legacy", "modern"] as const).map((era) => ({
    perSecond: PULSE_RATE,
    callers: new Callers({ ...common, connection: "fresh", era, ...PULSE_CALLERS, next: () => pulse }),
  })),
];
const flush = (): void => {
  sampler.flush(all.reduce((sum, { callers }) => sum + callers.unanswered, 0));
};

const windows = setInterval(flush, WINDOW_MS);

process.on("message", (message) => {
  if (message === "flush") flush();
  if (message === "stop") stop.abort();
});
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group; the parent decides when traffic ends.
process.on("SIGINT", () => undefined);

const { signal } = stop;
await Promise.all([
  ...all.map(async ({ perSecond, callers }) => {
    await callers.open();
    await arrive({ perSecond, signal, onArrival: callers.arrive });
    await callers.ended();
  }),
  keepListening({ url: endpoint, sampler, signal, report }),
]);
clearInterval(windows);
flush();
process.disconnect();
