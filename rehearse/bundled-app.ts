import { fileURLToPath } from "node:url";
import { loadEnvironment } from "../environment/load.ts";
import { ACTS } from "./acts/index.ts";
import { LEAST_CALLS } from "./acts/weather-outage.ts";
import { FORECAST_URL, GEOCODING_URL } from "./environments/rehearsal.ts";
import type { PrepareOptions, Subject } from "./subject.ts";
import { bundlesIn } from "./versions/bundles.ts";
import { startWeather } from "./weather/stand-in.ts";

/**
 * Arrivals per second. Twice as many would be easy for two idle cores; a machine that is busy with
 * other things has to keep up, too, or the calls that wait would be all that the page shows.
 */
const CALLS_PER_SECOND = { quick: 120, full: 225 };

/**
 * Finds or builds the versions of the bundled app, and starts the weather that it asks for.
 *
 * @throws BuildFailed
 */
export async function bundledApp({ quick, home, started }: PrepareOptions): Promise<Subject> {
  const images = await bundlesIn(home);
  const weather = await startWeather();
  started.defer(() => weather.close());
  // For the host, for every release command, and for this process, which asks the host, too.
  process.env[GEOCODING_URL] = weather.geocodingUrl;
  process.env[FORECAST_URL] = weather.forecastUrl;
  const file = fileURLToPath(new URL(quick ? "environments/quick.ts" : "environments/full.ts", import.meta.url));
  return {
    file,
    environment: await loadEnvironment(file),
    images,
    acts: ACTS,
    skipped: [],
    notes: [],
    callsPerSecond: quick ? CALLS_PER_SECOND.quick : CALLS_PER_SECOND.full,
    leastCalls: LEAST_CALLS,
    isOwn: false,
    weather,
  };
}
