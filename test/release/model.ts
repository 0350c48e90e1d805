import { COLORS, other, type Color } from "../../environment/color.ts";
import { after, next, type Action, type Result } from "../../release/machine.ts";
import type { ReleaseRecord } from "../../release/record.ts";
import { backToVerify, begin, goOn, rollBack, type Rule } from "../../release/rules.ts";
import { UsageError } from "../../release/errors.ts";
import type { Snapshot } from "../../release/snapshot.ts";

/**
 * A world small enough to visit all of it: two colors of at most two pods, one release at a time, and everything that may happen
 * to them. Images are named by what they are to the release, so that the next one starts in a world that was seen before.
 */
export interface World {
  readonly live: Color;
  readonly colors: Readonly<Record<Color, ModelColor>>;
  readonly release?: ReleaseRecord;
  /** What no target knows, and every invariant is about. */
  readonly ghost: {
    /** The release's image passed every gate since it was staged. */
    readonly passed: boolean;
    /** A gate has failed it since. */
    readonly failed: boolean;
    /** The release began to lift the pins. */
    readonly lifted: boolean;
  };
}

export type Image = "old" | "new" | "other";

export interface ModelColor {
  readonly image?: Image;
  readonly ready: number;
  readonly heldAt?: number;
}

const MOST_PODS = 2;

export const START: World = {
  live: "blue",
  colors: { blue: { image: "old", ready: 2 }, green: { ready: 0 } },
  ghost: { passed: false, failed: false, lifted: false },
};

/** One thing that happens, and the world after it. `action` is what the engine had decided when it was the engine's doing. */
export interface Step {
  readonly what: string;
  readonly to: World;
  readonly action?: Action;
}

export function snapshotOf({ live, colors, release }: World): Snapshot {
  // Each image was staged once, so that it is its own mark.
  const color = ({ image, ready, heldAt }: ModelColor) => ({
    image,
    mark: image,
    heldAt,
    minimum: Math.max(1, heldAt ?? 0),
    desired: Math.max(1, ready, heldAt ?? 0),
    pods: Array.from({ length: ready }, (_, pod) => ({ name: `${pod}`, ready: true, restarts: 0, current: true })),
  });
  return { live, release, colors: { blue: color(colors.blue), green: color(colors.green) } };
}

/** Everything that can happen next: to the engine, to the pods, and by other people. */
export function steps(world: World): Step[] {
  return [...engineSteps(world), ...worldSteps(world), ...requests(world)];
}

/**
 * The engine looks, decides and acts, and is killed after any of its changes, or after none is left and before the record is
 * written. Between its look and its first change somebody else may move the traffic.
 */
export function engineSteps(world: World): Step[] {
  const action = next(snapshotOf(world));
  const { release } = world;
  if (release === undefined || action.do === "nothing") return [];
  return [world, movedByOthers(world)].flatMap((acted, index) => {
    const surprise = index === 0 ? "" : ", surprised by others who move the traffic";
    const changes = changesOf(action, release);
    const killed = changes.map((_, count) => ({
      what: `${action.do}, killed after change ${count + 1}${surprise}`,
      to: changes.slice(0, count + 1).reduce((world, change) => change(world), acted),
      action,
    }));
    if (refusedByTarget(action, acted)) return [];
    const done = changes.reduce((world, change) => change(world), acted);
    const written = resultsOf(action, done).map(({ result, world }) => ({
      what: `${action.do}: ${result.outcome}${surprise}`,
      to: { ...world, release: stripped(after(release, action, result)) },
      action,
    }));
    return [...killed, ...written];
  });
}

/** The targets' part: a compare and swap that fails, and a stage of the live color, change nothing and write nothing. */
function refusedByTarget(action: Action, { live }: World): boolean {
  return (action.do === "move" && action.from !== live) || (action.do === "stage" && action.color === live);
}

type Change = (world: World) => World;

function changesOf(action: Action, { from, to, capacity }: ReleaseRecord): Change[] {
  switch (action.do) {
    case "stage":
      return [
        (world) =>
          world.live === action.color
            ? world
            : withColor(world, action.color, { ...world.colors[action.color], image: "new", ready: 0 }),
      ];
    case "scale-up":
      return [hold(from, action.pods), hold(to, action.pods)];
    case "move":
      return [(world) => (world.live === action.from ? { ...world, live: action.to } : world)];
    case "bake":
      return [hold(from, capacity), hold(to, capacity)];
    case "remove-holds":
      return [hold(from, undefined), hold(to, undefined)].map((change) => (world) => ({
        ...change(world),
        ghost: { ...world.ghost, lifted: true },
      }));
    // What becomes of a run is the target's affair: test/release/migration.test.ts.
    case "create-migration":
    case "migrate":
    case "verify":
    case "correct":
    case "pause":
    case "nothing":
      return [];
  }
}

function resultsOf(action: Action, world: World): { readonly result: Result; readonly world: World }[] {
  const came = (outcome: Result["outcome"], after = world) => ({ result: { outcome, reason: "" }, world: after });
  const ghost = (seen: Partial<World["ghost"]>): World => ({ ...world, ghost: { ...world.ghost, ...seen } });
  switch (action.do) {
    case "verify":
      return [came("pass", ghost({ passed: true })), came("fail", ghost({ failed: true })), came("inconclusive")];
    case "bake":
      return [came("pass"), came("fail", ghost({ failed: true })), came("inconclusive")];
    case "scale-up": {
      const { ready } = world.colors[action.color];
      const grown = { ...world.colors[action.color], ready: Math.max(ready, action.ready) };
      const pass = came("pass", withColor(world, action.color, grown));
      if (ready >= action.ready) return [pass];
      // The time is over, and what is there is enough.
      if (ready >= (action.atLeast ?? action.ready)) return [pass, came("pass")];
      return [pass, came(world.release?.phase === "rollback" ? "inconclusive" : "fail")];
    }
    case "migrate":
      return [came("pass"), came("fail")];
    case "create-migration":
    case "stage":
    case "move":
    case "remove-holds":
    case "correct":
    case "nothing":
      return [came("pass")];
    case "pause":
      return [came("inconclusive")];
  }
}

function worldSteps(world: World): Step[] {
  const pods = COLORS.flatMap((color) => {
    const state = world.colors[color];
    const changes: Step[] = [];
    if (state.ready > 0) {
      const to = withColor(world, color, { ...state, ready: state.ready - 1 });
      changes.push({ what: `${color} loses a pod`, to });
    }
    if (state.image !== undefined && state.ready < MOST_PODS) {
      const to = withColor(world, color, { ...state, ready: state.ready + 1 });
      changes.push({ what: `${color} gains a pod`, to });
    }
    if (state.heldAt !== undefined) {
      changes.push({ what: `a deploy lowers the minimum of ${color}`, to: hold(color, undefined)(world) });
    }
    return changes;
  });
  const phase = world.release?.phase;
  const idle = other(world.live);
  const staged = withColor(world, idle, { ...world.colors[idle], image: "other", ready: 0 });
  // What others put on the old color once it has lost the traffic is what a rollback then finds there: no release can know.
  const beforePromote =
    (phase === "stage" || phase === "verify" || phase === "promote") && world.live === world.release?.from;
  return [
    ...pods,
    { what: "others move the traffic", to: movedByOthers(world) },
    ...(beforePromote ? [{ what: "others stage something else on the idle color", to: staged }] : []),
  ];
}

const movedByOthers = (world: World): World => ({ ...world, live: other(world.live) });

/** What a person may ask between two steps of the engine; what the rules refuse changes nothing. */
function requests(world: World): Step[] {
  const started = begin({ image: "new", version: "new" }, { mark: "new", startedAt: "", migrates: true });
  const asked: [string, Rule][] = [
    ["go on", goOn],
    ["verify", backToVerify],
    ["roll back", rollBack("you")],
  ];
  return [
    ...asked.flatMap(([what, rule]) => answer(world, rule).map((to) => ({ what, to }))),
    ...answer(world, started).map((to) => ({ what: "begin a new release", to: renamed(to) })),
  ];
}

function answer(world: World, rule: Rule): World[] {
  try {
    return [{ ...world, release: stripped(rule(snapshotOf(world))) }];
  } catch (error) {
    if (error instanceof UsageError) return [];
    throw error;
  }
}

/** To a release that begins, what is live is the old image, whatever it was called before, and no gate has seen the new one. */
function renamed(world: World): World {
  const { live, colors } = world;
  const idle = other(live);
  const left: Image | undefined = colors[idle].image === undefined ? undefined : "other";
  const was = withColor(world, live, { ...colors[live], image: "old" });
  const release = world.release && { ...world.release, previous: { image: "old", mark: "old" } };
  return { ...withColor(was, idle, { ...colors[idle], image: left }), release, ghost: START.ghost };
}

function hold(color: Color, heldAt: number | undefined): Change {
  return (world) => withColor(world, color, { ...world.colors[color], heldAt });
}

function withColor(world: World, color: Color, state: ModelColor): World {
  return { ...world, colors: { ...world.colors, [color]: state } };
}

/** The words in a record are for people; no decision may hang on them. */
const stripped = (release: ReleaseRecord): ReleaseRecord => ({ ...release, reason: undefined });

export function keyOf({ live, colors, release, ghost }: World): string {
  const { blue, green } = colors;
  const color = ({ image, ready, heldAt }: ModelColor) => [image, ready, heldAt].join();
  const record = release && [
    release.from,
    release.phase,
    release.migration,
    release.capacity,
    release.retired === true,
    release.outcome,
    release.reason,
  ];
  const seen = [ghost.passed, ghost.failed, ghost.lifted];
  return [live, color(blue), color(green), record?.join(), seen.join()].join(" ");
}
