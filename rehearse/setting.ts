import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GATES } from "../release/gates/index.ts";
import type { Target } from "../release/ports/target.ts";
import { observe, readyPods } from "../release/snapshot.ts";
import { LocalTarget } from "../release/targets/local/target.ts";
import { bundledApp } from "./bundled-app.ts";
import { FleetWatch } from "./fleet-watch.ts";
import { HostFailed, startHost } from "./host-process.ts";
import type { Ledger } from "./record/ledger.ts";
import type { Recording } from "./record/recording.ts";
import { ownServer, type OwnServerOptions } from "./server/own-server.ts";
import type { Subject } from "./subject.ts";
import { startTraffic, type Traffic } from "./traffic/process.ts";
import { VERSIONS } from "./versions/bundles.ts";

export interface SettingOptions {
  readonly quick: boolean;
  /** @default - the bundled app */
  readonly own?: OwnServerOptions;
  readonly recording: Recording;
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Something that has to live for the whole rehearsal has died. */
  readonly onDeath: (why: string) => void;
}

/** Everything that the acts play in. Disposing of it ends all of it. */
export interface Setting extends AsyncDisposable {
  readonly subject: Subject;
  readonly watch: FleetWatch;
  readonly traffic: Traffic;
}

/**
 * Prepares the versions of what is rehearsed and starts the host with blue, and the traffic.
 *
 * @throws BuildFailed, HostFailed; of somebody's own server, what ownServer throws
 */
export async function prepare(options: SettingOptions): Promise<Setting> {
  const { quick, own, recording, ledger, signal, onDeath } = options;
  await using started = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "mcp-rehearsal-"));
  started.defer(() => rm(home, { recursive: true, force: true }));
  // For the host, for every release command, and for this process, which asks the host, too.
  process.env.BLUEGREEN_HOME = home;
  const shared = { quick, home, started, signal };
  const subject = own === undefined ? await bundledApp(shared) : await ownServer(own, shared);
  const { environment, file, acts, skipped } = subject;
  recording.add({
    type: "opening",
    quick,
    acts: acts.map(({ number, title, story, about }) => ({ number, title, story, about })),
    gates: GATES.map(({ name, phases }) => ({ name, phases })),
    p95LimitMs: environment.release.bake.maxP95Ms,
  });
  for (const text of subject.notes) recording.add({ type: "note", text, bad: false });
  for (const { number, title, reason } of skipped) {
    recording.add({ type: "note", text: `scenario ${number} (${title}) does not apply: ${reason}`, bad: false });
  }

  const host = await startHost({ environment: file, image: subject.images.first, home, onDeath });
  started.defer(() => host.stop());
  const target = await LocalTarget.open(environment);
  await readiness(target, environment.release.stageTimeoutSeconds, join(home, "app.log"), signal);

  const watching = new AbortController();
  const watch = new FleetWatch({ target, recording, signal: watching.signal });
  watch.learn("blue", VERSIONS.first.version);
  ledger.learn("blue", VERSIONS.first.version);
  const watched = watch.run();
  started.defer(async () => {
    watching.abort();
    await watched;
  });
  const { callsPerSecond, isOwn } = subject;
  const traffic = startTraffic({
    url: host.url,
    callsPerSecond,
    ...(isOwn && { environment: file }),
    onReport: ledger.hearTraffic,
    onDeath,
  });
  started.defer(() => traffic.stop());

  const running = started.move();
  return { subject, watch, traffic, [Symbol.asyncDispose]: () => running.disposeAsync() };
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
