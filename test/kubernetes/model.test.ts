import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { EPOCH_ANNOTATION } from "../../environment/names.ts";
import { pointer, type Operation } from "../../release/targets/kubernetes/api/kube-api.ts";
import { HttpClient } from "./http-client.ts";
import { Model, type Connect, type Step } from "./model.ts";
import { KubeServer } from "./server.ts";
import { StoreApi, type Server } from "./store-api.ts";

const SCHEDULES = 10_000;

const index = fc.nat(11);
const color = fc.constantFrom("blue", "green");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("start"),
      takeOver: fc.boolean(),
      skewMs: fc.integer({ min: -60_000, max: 60_000 }),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant("run"),
      process: index,
      requests: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 40 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("pass"), process: index, ms: fc.constantFrom(1000, 6000, 16_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill"), process: index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("fail"),
      process: index,
      how: fc.constantFrom("unreachable", "unanswered"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("deploy"), color }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("replace"), object: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("operate"), to: color }) },
  { weight: 2, arbitrary: fc.constant({ do: "delete-lease" }) },
);

const schedule = fc
  .array(step, { minLength: 10, maxLength: 40 })
  .map((steps): Step[] => [{ do: "start", takeOver: false, skewMs: 0 }, ...steps]);

const inMemory: Connect = (arrive) => new StoreApi(arrive);

/** Each process has an API server of its own, so that faults of its network are its own. */
const overHttp: Connect = async (arrive, store) => {
  const server = await KubeServer.start(store, { arrive });
  const client = new HttpClient(server, store.namespace);
  const closing = client.close.bind(client);
  return Object.assign(client, {
    async close() {
      await closing();
      await server.close();
    },
  });
};

/** Takes every schedule, and returns the first one that breaks an invariant, made as short as possible. */
async function check(connect: Connect, numRuns: number, seed = 1) {
  const reached = { granted: 0, moved: 0, displaced: 0, fencedAgain: 0 };
  const outcome = await fc.check(
    fc.asyncProperty(schedule, async (steps) => {
      const model = new Model(connect);
      try {
        for (const step of steps) await model.take(step);
      } finally {
        await model.close();
      }
      for (const key of Object.keys(reached) as (keyof typeof reached)[]) reached[key] += model.reached[key];
      expect(model.violations).toEqual([]);
    }),
    { numRuns, seed },
  );
  return { ...outcome, reached };
}

describe("two releases, a deploy and an operator, in any order", () => {
  it("never write to an object that a later holder has fenced, nor decide before every object is fenced", async () => {
    const { failed, counterexample, errorInstance, reached } = await check(inMemory, SCHEDULES);

    expect({ failed, counterexample, errorInstance }).toEqual({
      failed: false,
      counterexample: null,
      errorInstance: null,
    });
    // The schedules are worth something: releases come to their end, and into each other's way.
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(SCHEDULES / 100);
  }, 180_000);

  it("nor do they over HTTP", async () => {
    const { failed, counterexample, errorInstance, reached } = await check(overHttp, 200);

    expect({ failed, counterexample, errorInstance }).toEqual({
      failed: false,
      counterexample: null,
      errorInstance: null,
    });
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(0);
  }, 180_000);

  it("would, without the fence in each write", async () => {
    const { failed } = await check(withPatches(withoutFence), 3000);

    expect(failed).toBe(true);
  }, 180_000);

  it("would, with fences that are written without comparing", async () => {
    const { failed } = await check(withPatches(blindly), 3000);

    expect(failed).toBe(true);
  }, 180_000);
});

const EPOCH = `/metadata/annotations/${pointer(EPOCH_ANNOTATION)}`;

type Change = (operations: readonly Operation[]) => readonly Operation[];

/** A mutant: every patch of an object other than the Lease arrives changed. */
const withPatches =
  (change: Change): Connect =>
  (arrive) =>
    new StoreApi({ ...arrive, patch: (object, operations) => patched(arrive, change, object, operations) });

const patched = (server: Server, change: Change, ...[object, operations]: Parameters<Server["patch"]>) =>
  server.patch(object, object.kind === "Lease" ? operations : change(operations));

const isTestOfFence = ({ op, path }: Operation) => op === "test" && path.startsWith("/metadata/annotations");

/** Leaves the fence out of writes that change something else. */
const withoutFence: Change = (operations) =>
  operations.some(({ path }) => path.startsWith("/spec/"))
    ? operations.filter((one) => !isTestOfFence(one))
    : operations;

/** Writes the fence whatever it is by now. */
const blindly: Change = (operations) =>
  operations.some(({ op, path }) => op === "add" && path.startsWith(EPOCH.slice(0, 21)))
    ? operations.filter((one) => !isTestOfFence(one))
    : operations;
