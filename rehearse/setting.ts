import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadEnvironment } from "../environment/load.ts";
import { GATES } from "../release/gates/index.ts";
import type { Target } from "../release/ports/target.ts";
import { observe, readyPods } from "../release/snapshot.ts";
import { LocalTarget } from "../release/targets/local/target.ts";
import { ACTS } from "./acts/index.ts";
import { FORECAST_URL, GEOCODING_URL } from "./environments/rehearsal.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HostFailed, startHost } from "./host-process.ts";
import type { Ledger } from "./record/ledger.ts";
import type { Recording } from "./record/recording.ts";
import { startTraffic, type Traffic } from "./traffic/process.ts";
import { bundlesIn, type Bundles } from "./versions/bundles.ts";
import { startWeather, type WeatherStandIn } from "./weather/stand-in.ts";

export interface SettingOptions {
  readonly quick: boolean;
  readonly recording: Recording;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Something that has to live for the whole rehearsal has died. */
  readonly onDeath: (why: string) => void;
}

/** Everything that the acts play in. Disposing of it ends all of it. */
export interface Setting extends AsyncDisposable {
  /** Path of the environment file. */
  readonly environment: string;
  readonly bundles: Bundles;
  readonly weather: WeatherStandIn;
  readonly watch: FleetWatch;
  readonly traffic: Traffic;
}

/**
 * Arrivals per second. Twice as many would be easy for two idle cores; a machine that is busy with other things has to
 * keep up, too, or the calls that wait would be all that the page shows.
 */
const CALLS_PER_SECOND = { quick: 120, full: 225 };

/**
 * Builds the versions and starts the weather, the host with two pods of blue, and the traffic.
 *
 * @throws BuildFailed, HostFailed
 */
export async function prepare({ quick, recording, ledger, signal, onDeath }: SettingOptions): Promise<Setting> {
  await using started = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "mcp-rehearsal-"));
  started.defer(() => rm(home, { recursive: true, force: true }));
  const bundles = await bundlesIn(home);
  const weather = await startWeather();
  started.defer(() => weather.close());

  // For the host, for every release command, and for this process, which asks the host, too.
  process.env.BLUEGREEN_HOME = home;
  process.env[GEOCODING_URL] = weather.geocodingUrl;
  process.env[FORECAST_URL] = weather.forecastUrl;
  const file = fileURLToPath(new URL(quick ? "environments/quick.ts" : "environments/full.ts", import.meta.url));
  const environment = await loadEnvironment(file);
  recording.add({
    type: "opening",
    quick,
    acts: ACTS.map(({ number, title, story, about }) => ({ number, title, story, about })),
    gates: GATES.map(({ name, phases }) => ({ name, phases })),
    p95LimitMs: environment.release.bake.maxP95Ms,
  });

  const host = await startHost({ environment: file, image: bundles.first, home, onDeath });
  started.defer(() => host.stop());
  const target = await LocalTarget.open(environment);
  await readiness(target, environment.release.stageTimeoutSeconds, join(home, "app.log"), signal);

  const watching = new AbortController();
  const watch = new FleetWatch({ target, recording, signal: watching.signal });
  const watched = watch.run();
  started.defer(async () => {
    watching.abort();
    await watched;
  });
  const callsPerSecond = quick ? CALLS_PER_SECOND.quick : CALLS_PER_SECOND.full;
  const traffic = startTraffic({ url: host.url, callsPerSecond, onReport: ledger.hearTraffic, onDeath });
  started.defer(() => traffic.stop());

  const running = started.move();
  return {
    environment: file,
    bundles,
    weather,
    watch,
    traffic,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Traffic must not begin before somebody can answer it. */
async function readiness(target: Target, timeoutSeconds: number, log: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const snapshot = await observe(target);
    const { desired } = snapshot.colors[snapshot.live];
    if (desired > 0 && readyPods(snapshot, snapshot.live) >= desired) return;
    if (performance.now() > deadline) {
      const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-5).join("\n");
      throw new HostFailed(`the app did not become ready within ${timeoutSeconds} s; its last words:\n${lines}`);
    }
    await sleep(50, undefined, { signal });
  }
}
