import { loadEnvironment } from "../../environment/load.ts";
import { arrive } from "./arrivals.ts";
import { Callers } from "./callers.ts";
import { keepListening } from "./listener.ts";
import { bundledPlan, ownPlan } from "./plan.ts";
import type { TrafficReport } from "./sample.ts";
import { Sampler } from "./sampler.ts";

/**
 * The traffic, a process of its own: what it measures must not depend on how busy anyone else's
 * event loop is.
 *
 * Started by traffic/process.ts with the URL, the calls per second and, for somebody's own server,
 * its environment as arguments; it ends when told, and when its parent is gone.
 */
const [url = "", rate = "", environment] = process.argv.slice(2);

const WINDOW_MS = 250;

const report = (message: TrafficReport): void => {
  process.send?.(message);
};

// First, because it may be over before the environment has been loaded.
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group; the parent decides when traffic ends.
process.on("SIGINT", () => undefined);

const stop = new AbortController();
const sampler = new Sampler(report);

const endpoint = new URL(url);
const plan =
  environment === undefined ? bundledPlan(Number(rate)) : ownPlan(await loadEnvironment(environment), Number(rate));
const all = plan.parts.map(({ perSecond, ...part }) => ({
  perSecond,
  callers: new Callers({ url: endpoint, sampler, signal: stop.signal, ...part }),
}));
const flush = (): void => {
  sampler.flush(all.reduce((sum, { callers }) => sum + callers.unanswered, 0));
};

const windows = setInterval(flush, WINDOW_MS);

process.on("message", (message) => {
  if (message === "flush") flush();
  if (message === "stop") stop.abort();
});

const { signal } = stop;
await Promise.all([
  ...all.map(async ({ perSecond, callers }) => {
    await callers.open();
    await arrive({ perSecond, signal, onArrival: callers.arrive });
    await callers.ended();
  }),
  ...(plan.listens ? [keepListening({ url: endpoint, sampler, signal, report })] : []),
]);
clearInterval(windows);
flush();
process.disconnect();
