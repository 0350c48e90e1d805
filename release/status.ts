import { styleText } from "node:util";
import type { Environment } from "../environment/environment.ts";
import { COLORS, type Color } from "../environment/color.ts";
import type { ColorState } from "./ports/capacity.ts";
import type { ChangedReference, PendingChange } from "./ports/staging.ts";
import type { Target } from "./ports/target.ts";
import type { ReleaseRecord } from "./record.ts";
import { observe, readyIn } from "./snapshot.ts";

export interface Status {
  readonly environment: string;
  readonly target: readonly string[];
  /** Who holds the lease of a release; none if it is free. */
  readonly holder: string | undefined;
  readonly live: Color;
  readonly colors: readonly ColorStatus[];
  readonly release: ReleaseRecord | undefined;
  /** A deploy never changes a pod: a changed setting is pending until the next release stages it. */
  readonly pending: readonly PendingChange[];
}

export interface ColorStatus {
  readonly color: Color;
  readonly image: string | undefined;
  /** The version that a release put there; none if an operator did. */
  readonly version: string | undefined;
  /** The mark of the release that staged the color; none if an operator did. */
  readonly mark: string | undefined;
  readonly ready: number;
  readonly desired: number;
  /** The minimum that a release holds the color at. */
  readonly heldAt: number | undefined;
  readonly problems: readonly string[];
  /** Secrets and ConfigMaps that its pods name and that others have written since it was staged. */
  readonly changed: readonly ChangedReference[];
}

/** @throws what the ports throw */
export async function readStatus(target: Target, environment: Environment): Promise<Status> {
  const [snapshot, holder] = await Promise.all([observe(target), target.records.holder()]);
  const { live, colors, release } = snapshot;
  const { staging } = target;
  const [pending, history, blue, green] = await Promise.all([
    staging.pending(live),
    target.records.history(),
    staging.changed?.("blue") ?? [],
    staging.changed?.("green") ?? [],
  ]);
  const changed = { blue, green };
  const known = new Map([...history, ...(release ? [release] : [])].map(({ mark, version }) => [mark, version]));
  return {
    environment: environment.name,
    target: target.description,
    holder,
    live,
    colors: COLORS.map((color) => {
      const { image, mark, desired, heldAt, problems = [] } = colors[color];
      const held = heldAt !== undefined && heldAt > environment.scaling.minReplicas ? heldAt : undefined;
      const version = mark === undefined ? undefined : known.get(mark);
      const ready = readyIn(colors[color]);
      const found = [...problems.map(({ what }) => what), ...asleep(color, color === live, colors[color])];
      return { color, image, version, mark, ready, desired, heldAt: held, problems: found, changed: changed[color] };
    }),
    release,
    pending,
  };
}

/** A color at 0 pods has its autoscaler switched off by Kubernetes: a rollback would have to start it first. */
function asleep(color: Color, isLive: boolean, { image, desired }: ColorState): string[] {
  if (isLive || image === undefined || desired > 0) return [];
  return [`${color} stands at 0 pods: a rollback has to start them first`];
}

export function writeStatus(status: Status, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : `${describe(status)}\n`);
}

function describe({ environment, target, holder, live, colors, release, pending }: Status): string {
  const changes = pending.map(
    ({ setting, running, wanted }) => `${setting}: ${running ?? "(unset)"} → ${wanted ?? "(unset)"}`,
  );
  return [
    ...target.map((line) => `target   ${line}`),
    `release  ${describeRelease(release)}`,
    ...(holder === undefined ? [] : [`lease    held by ${holder}`]),
    ...colors
      .toSorted((a, b) => Number(b.color === live) - Number(a.color === live))
      .flatMap((color) => describeColor(color, color.color === live ? "live" : "idle")),
    `pending  ${changes.length === 0 ? `no change of ${environment}` : changes.join("\n         ")}`,
  ].join("\n");
}

function describeColor(status: ColorStatus, role: string) {
  const { color, image, version, mark, ready, desired, heldAt, problems, changed } = status;
  const held = heldAt === undefined ? "" : `, held at ${heldAt}`;
  const staged = mark === undefined ? "not staged by a release" : (version ?? `stage ${mark}`);
  const runs = image === undefined ? "nothing staged" : `${staged}, ${image}`;
  return [
    `${role}     ${paint(color, color.padEnd(5))}  ${ready}/${desired} ready${held}  ${runs}`,
    ...[...problems, ...changed.map((one) => wasWritten(color, one))].map(
      (line) => `         ${paint("yellow", line)}`,
    ),
  ];
}

/** Node leaves the colors out when standard output is no terminal, or NO_COLOR is set. */
const paint = (style: Color | "yellow", text: string) => styleText(style, text, { stream: process.stdout });

const wasWritten = (color: Color, { object, change }: ChangedReference) =>
  `${object} was ${change} since ${color} was staged: pods that start now read it, and the others do not; a release starts all pods anew`;

function describeRelease(release: ReleaseRecord | undefined): string {
  if (release === undefined) return "none yet";
  const { version, phase, outcome, from, to, reason } = release;
  const why = reason === undefined ? "" : ` (${reason})`;
  return phase === "ended"
    ? `${version} ${outcome ?? "aborted"}${why}`
    : `${version}, ${from} → ${to}, in phase ${phase}${why}`;
}
