import { beforeAll, describe, expect, it } from "@jest/globals";
import { COLORS, other } from "../../environment/color.ts";
import { next } from "../../release/machine.ts";
import { PHASES } from "../../release/record.ts";
import { engineSteps, keyOf, snapshotOf, START, steps, type Step, type World } from "./model.ts";

interface Visited {
  readonly world: World;
  readonly step?: Step;
  readonly before?: Visited;
}

/** More than any release needs: stage, scale-up, verify, move, bake, remove-holds and a correction or two. */
const MOST_STEPS = 12;

const STEP_INVARIANTS = {
  "never moves traffic to a color without a ready pod": (world, { action }) =>
    action?.do !== "move" || world.colors[action.to].ready > 0,

  "never promotes to fewer pods than carry the traffic, nor rolls back to fewer once the holds were removed": (
    { release, colors, ghost },
    { action },
  ) => {
    if (action?.do !== "move") return true;
    const warmRollback = action.to === release?.from && !ghost.lifted;
    return warmRollback || colors[action.to].ready >= colors[action.from].ready;
  },

  "moves traffic only to an image that passed verify and failed nothing since, or back to the old one": (
    { colors, release, ghost },
    { action },
  ) => {
    if (action?.do !== "move") return true;
    const { image } = colors[action.to];
    return action.to === release?.from ? image === "old" : image === "new" && ghost.passed && !ghost.failed;
  },

  "never changes what the live color runs, and stages on the idle one alone": ({ live, colors }, { action, to }) => {
    if (action === undefined) return true;
    // Others may have moved the traffic after the engine looked: then the other color is live when it acts.
    const liveThen = action.do === "move" ? live : to.live;
    return colors[liveThen].image === to.colors[liveThen].image;
  },
} satisfies Record<string, (from: World, step: Step) => boolean>;

const WORLD_INVARIANTS = {
  "leaves no color held when it has ended": ({ release, colors }) =>
    release?.phase !== "ended" || COLORS.every((color) => colors[color].heldAt === undefined),

  "comes to an end from everywhere in a few steps when nothing disturbs it, and what it says then is true": (world) => {
    if (world.release === undefined || world.release.phase === "ended") return true;
    const { live, release } = undisturbed(world, "pass");
    if (release?.phase !== "ended") return false;
    if (release.outcome === "released") return live === release.to;
    return release.outcome === "aborted" || (release.outcome === "rolled-back" && live === release.from);
  },

  "brings traffic back to the old color from everywhere when the gates fail from then on": (world) => {
    const { release, live } = world;
    if (release === undefined || release.phase === "ended" || release.phase === "retire") return true;
    // Where somebody else's hand put it before any gate was asked, it is not the release's to take away.
    const byOthers = (release.phase === "stage" || release.phase === "verify") && live === release.to;
    return byOthers || undisturbed(world, "fail").live === release.from;
  },

  "decides the same for either color": (world) => {
    const mirrored = JSON.stringify(next(snapshotOf(mirror(world))));
    return mirrored.replace(/blue|green/g, (color) => (color === "blue" ? "green" : "blue")) === decision(world);
  },
} satisfies Record<string, (world: World) => boolean>;

const decision = (world: World) => JSON.stringify(next(snapshotOf(world)));

describe("the state machine, in every state that outcomes, kills, other people and pods can bring it to", () => {
  const visited = new Map<string, Visited>([[keyOf(START), { world: START }]]);
  const broken = new Map<string, Visited>();

  beforeAll(() => {
    // A map is visited in the order of insertion, what is added meanwhile included: breadth first, so a story is a shortest one.
    for (const before of visited.values()) {
      const { world } = before;
      for (const [name, holds] of Object.entries(WORLD_INVARIANTS)) if (!holds(world)) note(name, before);
      for (const step of steps(world)) {
        const key = keyOf(step.to);
        const visit = { world: step.to, step, before };
        if (!visited.has(key)) visited.set(key, visit);
        for (const [name, holds] of Object.entries(STEP_INVARIANTS)) if (!holds(world, step)) note(name, visit);
      }
    }
  }, 120_000);

  function note(name: string, visit: Visited): void {
    if (!broken.has(name)) broken.set(name, visit);
  }

  it.each([...Object.keys(STEP_INVARIANTS), ...Object.keys(WORLD_INVARIANTS)])("%s", (name) => {
    const visit = broken.get(name);

    expect(visit && story(visit)).toBeUndefined();
  });

  it("has been in more than 50,000 states, every phase and every outcome among them", () => {
    const releases = [...visited.values()].map(({ world }) => world.release);

    expect(visited.size).toBeGreaterThan(50_000);
    expect(new Set(releases.map((release) => release?.phase))).toEqual(new Set([undefined, ...PHASES]));
    expect(new Set(releases.map((release) => release?.outcome)).size).toBe(4);
  });
});

/** Runs the engine on: nobody interferes, pods become ready when they are waited for, and the gates say the same every time. */
function undisturbed(world: World, gates: "pass" | "fail"): World {
  for (let count = 0; count < MOST_STEPS; count += 1) {
    const action = next(snapshotOf(world));
    if (action.do === "nothing") return world;
    const outcome = action.do === "verify" || action.do === "bake" ? gates : "pass";
    const step = engineSteps(world).find(({ what }) => what === `${action.do}: ${outcome}`);
    if (step === undefined) throw new Error(`${action.do} cannot ${outcome}`);
    world = step.to;
  }
  return world;
}

function mirror(world: World): World {
  const { blue, green } = world.colors;
  const release = world.release && { ...world.release, from: world.release.to, to: world.release.from };
  return { ...world, live: other(world.live), colors: { blue: green, green: blue }, release };
}

function story(visit: Visited): string {
  const lines: string[] = [];
  for (let at: Visited | undefined = visit; at !== undefined; at = at.before) {
    lines.unshift(`${at.step?.what ?? "start"}\n    ${keyOf(at.world)}`);
  }
  return lines.join("\n");
}
