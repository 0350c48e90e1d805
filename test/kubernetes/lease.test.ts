import { beforeEach, describe, expect, it } from "@jest/globals";
import { EPOCH_ANNOTATION } from "../../environment/names.ts";
import { RELEASE_LEASE } from "../default-names.ts";
import { Displaced, LeaseHeld, TargetUnreachable, UsageError } from "../../release/errors.ts";
import type { Authority } from "../../release/ports/records.ts";
import { kubernetesTarget } from "../../release/targets/kubernetes/target.ts";
import { acquire, aRecord } from "../release/contract/world.ts";
import { ManualClock } from "../release/manual-clock.ts";
import { deniedByPolicy, tooManyRequests, webhookDown } from "./failures.ts";
import { FakeStaging } from "./fake-staging.ts";
import { StoreApi } from "./store-api.ts";
import { SCALING, storeWorld, type ClusterWorld } from "./world.ts";

const LEASE = { kind: "Lease", name: RELEASE_LEASE } as const;
const MINUTE = 60_000;

let world: ClusterWorld;

beforeEach(() => {
  world = storeWorld();
});

const lease = () => world.store.get(LEASE);

describe("a command that is interrupted while it takes the lease", () => {
  it("gives it back, so that the next command need not wait for it to expire", async () => {
    const target = world.open();
    const interrupted = new AbortController();
    const api = world.apiOf(target);
    api.faults.add({ verb: "create", kind: "Lease", does: "unanswered" });
    api.before = ({ verb, kind }) => {
      // The lease was created, its answer was lost, and the command looks whether it has it.
      if (kind === "Lease" && verb === "get" && lease() !== undefined) interrupted.abort(new Error("interrupted"));
    };
    const { signal } = interrupted;
    const taken = target.records.acquire({ holder: "first", takeOver: false, signal, waiting: () => undefined });
    await expect(taken).rejects.toThrow("interrupted");

    expect(lease()?.spec?.holderIdentity).toBe("");
  });
});

describe("a lease that is held", () => {
  it("is renewed three times in its life", async () => {
    const target = world.open();
    await acquire(target);
    const before = world.apiOf(target).requests.length;
    await world.pass(MINUTE);

    expect(world.apiOf(target).requests.length - before).toBe(12);
    expect(lease()?.spec?.leaseDurationSeconds).toBe(15);
  });

  it("survives an outage that is longer than its life, since nobody else has taken it", async () => {
    const target = world.open();
    const authority = await acquire(target);
    world.apiOf(target).faults.add({ does: "unreachable", times: Infinity });
    await world.pass(5 * MINUTE);
    expect(authority.lost.aborted).toBe(false);
    await expect(authority.write(aRecord())).rejects.toThrow(TargetUnreachable);

    world.apiOf(target).faults.clear();
    await target.traffic.move("blue", "green", authority.fence);
    expect(authority.lost.aborted).toBe(false);
  });

  it("is renewed again when a busy API server wants it, and not earlier", async () => {
    const target = world.open();
    await acquire(target);
    const { requests, faults } = world.apiOf(target);
    faults.add({ verb: "patch", does: () => tooManyRequests(9), times: 1 });
    const before = requests.length;
    await world.pass(13_900);
    expect(requests.length - before).toBe(1);
    await world.pass(200);
    expect(requests.length - before).toBe(2);
  });

  it("stays ours when one renewal gets no answer, and another command waits for it to expire", async () => {
    const target = world.open();
    const authority = await acquire(target);
    world.apiOf(target).faults.add({ verb: "patch", kind: "Lease", does: "hang", after: 1 });
    await world.pass(5500);
    const second = acquire(world.open(), "second").catch((error: unknown) => error);
    await world.pass(20_000);

    expect(await second).toBeInstanceOf(LeaseHeld);
    expect(authority.lost.aborted).toBe(false);
  });

  it("survives an admission policy that denies the renewal", async () => {
    const target = world.open();
    const authority = await acquire(target);
    world.apiOf(target).faults.add({ kind: "Lease", verb: "patch", does: deniedByPolicy, times: Infinity });
    await world.pass(MINUTE);

    expect(authority.lost.aborted).toBe(false);
  });

  it("is lost if another one took it during an outage", async () => {
    const target = world.open();
    const authority = await acquire(target);
    world.apiOf(target).faults.add({ does: "unreachable", times: Infinity });
    const second = acquire(world.open(), "second");
    await world.pass(20_000);
    await second;
    world.apiOf(target).faults.clear();
    await world.pass(2000);

    expect(authority.lost.reason).toBeInstanceOf(Displaced);
    expect(String(authority.lost.reason)).toMatch(
      /the lease was taken over by second \w+; this command changes nothing/,
    );
  });

  it("is created again after it was deleted, with its epoch and the last record", async () => {
    const authority = await acquire(world.open());
    const release = aRecord({ phase: "bake" });
    await authority.write(release);
    world.store.remove(LEASE);
    await world.pass(6000);

    expect(lease()?.metadata.annotations?.[EPOCH_ANNOTATION]).toBe(String(authority.fence.epoch));
    expect(await world.open().records.read()).toEqual(release);
    expect(await holderAfterAll(authority)).toBe(true);
  });

  it("writes a record also into a lease that was deleted a moment ago", async () => {
    const authority = await acquire(world.open());
    world.store.remove(LEASE);
    const release = aRecord();
    await authority.write(release);

    expect(await world.open().records.read()).toEqual(release);
  });

  it("is lost if another one created it after it was deleted", async () => {
    const authority = await acquire(world.open());
    world.store.remove(LEASE);
    await acquire(world.open(), "second");
    await world.pass(6000);

    expect(authority.lost.reason).toBeInstanceOf(Displaced);
  });

  it("is not taken by a displaced holder when it is deleted, since the objects have a later fence", async () => {
    const first = await acquire(world.open());
    const second = await acquire(world.open(), "second", true);
    world.store.remove(LEASE);
    await expect(first.write(aRecord())).rejects.toThrow(Displaced);
    await world.pass(6000);

    expect(second.lost.aborted).toBe(false);
    expect(lease()?.spec?.holderIdentity).toMatch(/^second/);
  });

  it("gets its annotations back after somebody removed them", async () => {
    const authority = await acquire(world.open());
    const release = aRecord({ phase: "bake" });
    await authority.write(release);
    world.store.edit(LEASE, ({ metadata }) => {
      metadata.annotations = undefined;
    });
    await world.pass(6000);

    expect(authority.lost.aborted).toBe(false);
    expect(await world.open().records.read()).toEqual(release);
  });

  it("can be given back during an outage", async () => {
    const target = world.open();
    const authority = await acquire(target);
    world.apiOf(target).faults.add({ does: "unreachable", times: Infinity });

    await expect(authority.release()).resolves.toBeUndefined();
  });

  /** Whether the holder still writes. */
  async function holderAfterAll(authority: Authority): Promise<boolean> {
    await authority.write(aRecord());
    return !authority.lost.aborted;
  }
});

describe("a newcomer", () => {
  it.each([-3_600_000, 16_000, 3_600_000])(
    "does not take a lease that is renewed, with a clock that is wrong by %i ms",
    async (skewMs) => {
      const first = await acquire(world.open());
      await world.pass(100);
      const clock = new ManualClock(skewMs);
      const api = new StoreApi(world.store);
      const staging = () => new FakeStaging(world.store);
      const second = kubernetesTarget({ api, environment: { scaling: SCALING }, staging, clock });
      const outcome = acquire(second, "second").catch((error: unknown) => error);
      for (let second = 0; second < 20; second++) {
        await world.pass(1000);
        await clock.pass(1000);
      }

      expect(await outcome).toBeInstanceOf(LeaseHeld);
      expect(first.lost.aborted).toBe(false);
    },
  );

  it("waits as long as the holder's lease says", async () => {
    const killed = world.open();
    await acquire(killed);
    world.kill(killed);
    world.store.edit(LEASE, ({ spec }) => {
      spec.leaseDurationSeconds = 40;
    });
    let taken = false;
    void acquire(world.open()).then(() => {
      taken = true;
    });
    await world.pass(39_000);
    expect(taken).toBe(false);
    await world.pass(2000);
    expect(taken).toBe(true);
  });

  it("goes on waiting through a short outage, and decides on an answer after the wait", async () => {
    const killed = world.open();
    await acquire(killed);
    world.kill(killed);
    const target = world.open();
    world.apiOf(target).faults.add({ kind: "Lease", does: "unreachable", after: 3, times: 5 });
    const second = acquire(target, "second");
    await world.pass(16_000);

    expect((await second).lost.aborted).toBe(false);
  });

  it("has the lease if only the answer to its write was lost", async () => {
    const target = world.open();
    world.apiOf(target).faults.add({ kind: "Lease", verb: "create", does: "unanswered" });
    const authority = await acquire(target);

    await target.traffic.move("blue", "green", authority.fence);
    expect(await target.traffic.live()).toBe("green");
  });

  it("comes back when a busy API server wants it, and not earlier", async () => {
    const target = world.open();
    const { requests, faults } = world.apiOf(target);
    faults.add({ kind: "Lease", verb: "create", does: () => tooManyRequests(3), times: 2 });
    const created = () => requests.filter(({ verb }) => verb === "create").length;
    const authority = acquire(target);
    await world.pass(2900);
    expect(created()).toBe(1);
    await world.pass(200);
    expect(created()).toBe(2);
    await world.pass(3000);

    expect((await authority).lost.aborted).toBe(false);
  });

  it.each([
    ["an admission webhook is down", webhookDown, 4, /mirror\.example\.com/],
    ["the API server is busy for longer than a user would wait", () => tooManyRequests(60), 1, /answered 429/],
  ])("says why it cannot take the lease while %s", async (_, does, tries, cause) => {
    const target = world.open();
    const { requests, faults } = world.apiOf(target);
    faults.add({ kind: "Lease", verb: "create", does, times: Infinity });
    const error = acquire(target).catch((error: unknown) => error);
    await world.pass(10_000);

    expect(await error).toBeInstanceOf(TargetUnreachable);
    expect(String(await error)).toMatch(cause);
    expect(requests.filter(({ verb }) => verb === "create")).toHaveLength(tries);
  });

  it("gives up within a second when it is interrupted while it fences, also if the API hangs", async () => {
    const target = world.open();
    const { faults } = world.apiOf(target);
    const interrupted = new AbortController();
    faults.add({ verb: "patch", does: "hang", times: Infinity });
    const { signal } = interrupted;
    const taken = target.records.acquire({ holder: "first", takeOver: false, signal, waiting: () => undefined });
    await world.pass(100);
    const start = performance.now();
    interrupted.abort(new Error("interrupted"));

    await expect(taken).rejects.toThrow("interrupted");
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("takes over although the holder renews at the same moment", async () => {
    const first = world.open();
    await acquire(first);
    const second = world.open();
    const api = world.apiOf(second);
    api.before = async ({ kind, verb }) => {
      if (kind === "Lease" && verb === "patch") {
        api.before = () => undefined;
        await world.pass(5000);
      }
    };

    expect((await acquire(second, "second", true)).lost.aborted).toBe(false);
  });
});

describe("the record", () => {
  it("is refused, and not taken for none, if it cannot be read", async () => {
    const authority = await acquire(world.open());
    await authority.write(aRecord());
    world.store.edit(LEASE, ({ metadata }) => {
      metadata.annotations = { "mcp-bluegreen/release": "{}" };
    });

    await expect(world.open().records.read()).rejects.toThrow(UsageError);
  });

  it("keeps a history within the size of annotations", async () => {
    const authority = await acquire(world.open());
    for (let count = 0; count < 25; count++) {
      await authority.write(aRecord({ phase: "ended", outcome: "released", reason: "x".repeat(100_000) }));
    }
    const { annotations = {} } = lease()?.metadata ?? {};

    expect((annotations["mcp-bluegreen/history"] ?? "").length).toBeLessThan(40_000);
  });
});
