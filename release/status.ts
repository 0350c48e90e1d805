import type { Environment } from "../environments/environment.ts";
import { COLORS, type Color } from "./color.ts";
import type { ReleaseRecord } from "./record.ts";
import { readyPods, type Snapshot } from "./target.ts";

/** A setting that the environment has and the live pods do not have yet. */
export interface Waiting {
  readonly setting: string;
  readonly running: string | undefined;
  readonly wanted: string | undefined;
}

export interface Status {
  readonly environment: string;
  readonly live: Color;
  readonly colors: readonly {
    readonly color: Color;
    readonly image: string | undefined;
    readonly ready: number;
    readonly desired: number;
    readonly pinned: number | undefined;
  }[];
  readonly release: ReleaseRecord | undefined;
  /** A deploy never changes a pod, so a change of settings waits here until the next release stages it. */
  readonly waiting: readonly Waiting[];
}

export function statusOf(snapshot: Snapshot, environment: Environment): Status {
  const { live, colors, release, wanted } = snapshot;
  const running = colors[live].settings;
  const names = [...new Set([...Object.keys(running), ...Object.keys(wanted)])].sort();
  return {
    environment: environment.name,
    live,
    colors: COLORS.map((color) => {
      const { image, desired, pinned } = colors[color];
      const held = pinned !== undefined && pinned > environment.scaling.minReplicas ? pinned : undefined;
      return { color, image, ready: readyPods(snapshot, color), desired, pinned: held };
    }),
    release,
    waiting: names
      .filter((setting) => running[setting] !== wanted[setting])
      .map((setting) => ({ setting, running: running[setting], wanted: wanted[setting] })),
  };
}

export function writeStatus(status: Status, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : `${describe(status)}\n`);
}

function describe({ environment, live, colors, release, waiting }: Status): string {
  const rows = colors.map(({ color, image, ready, desired, pinned }) => {
    const pin = pinned === undefined ? "" : `, pinned at ${pinned}`;
    return `${color === live ? "live" : "idle"}     ${color.padEnd(5)}  ${ready}/${desired} ready${pin}  ${image ?? "nothing staged"}`;
  });
  const changes = waiting.map(
    ({ setting, running, wanted }) => `${setting}: ${running ?? "(unset)"} → ${wanted ?? "(unset)"}`,
  );
  return [
    `release  ${describeRelease(release)}`,
    ...rows.sort().reverse(),
    `waiting  ${changes.length === 0 ? "no setting of " + environment : changes.join("\n         ")}`,
  ].join("\n");
}

function describeRelease(release: ReleaseRecord | undefined): string {
  if (release === undefined) return "none yet";
  const { version, phase, outcome, from, to, reason } = release;
  const why = reason === undefined ? "" : ` (${reason})`;
  return phase === "ended"
    ? `${version} ${outcome ?? "given up"}${why}`
    : `${version}, ${from} → ${to}, in phase ${phase}${why}`;
}
