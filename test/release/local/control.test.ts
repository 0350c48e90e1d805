import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { image, startHost, type AHost } from "./a-host.ts";

/** No lease ends while a test looks twice, however slow the machine is. */
const LEASE_TTL_MS = 10_000;

let aHost: AHost;

beforeAll(async () => {
  aHost = await startHost({ leaseTtlMs: LEASE_TTL_MS });
});

afterAll(async () => {
  await aHost[Symbol.asyncDispose]();
});

async function ask(request: unknown, token = aHost.token) {
  const body = typeof request === "string" ? request : JSON.stringify(request);
  const response = await fetch(aHost.control, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

async function lease(): Promise<number> {
  const { answer } = await ask({ do: "take-lease", holder: "a test", takeOver: true });
  return Number(answer.epoch);
}

const changes = (epoch: number) => [
  { do: "stage", epoch, color: "green", image: image("version-2"), mark: "m", settings: {} },
  { do: "hold", epoch, color: "blue", pods: 2 },
  { do: "move-traffic", epoch, from: "blue", to: "green" },
  {
    do: "record",
    epoch,
    release: {
      mark: "m",
      image: "x",
      version: "2",
      from: "blue",
      to: "green",
      phase: "bake",
      startedAt: new Date().toISOString(),
    },
  },
  { do: "give-lease-back", epoch },
];

describe("the control interface of the local host", () => {
  it("answers nobody without the token, and tells them nothing", async () => {
    for (const token of ["", "wrong", `${aHost.token}x`]) {
      expect(await ask({ do: "look" }, token)).toEqual({
        status: 401,
        answer: { error: "the token is missing or wrong" },
      });
    }
    expect((await fetch(aHost.control, { method: "POST", body: "{}" })).status).toBe(401);
  });

  it("takes requests of a bounded size", async () => {
    const { status, answer } = await ask("x".repeat(10 * 1024 * 1024));

    expect({ status, answer }).toEqual({ status: 413, answer: { error: "a request has at most 65536 bytes" } });
    expect((await ask({ do: "look" })).status).toBe(200);
  });

  it("refuses what it does not understand and says what is wrong with it", async () => {
    expect((await ask("{")).status).toBe(400);
    expect((await ask({ do: "dance" })).status).toBe(400);
    const { status, answer } = await ask({ do: "hold", epoch: 1, color: "red", pods: 0 });
    expect(status).toBe(400);
    expect(answer.error).toContain("color");
  });

  it("changes nothing for a command whose epoch is not the last one", async () => {
    const displaced = await lease();
    await lease();
    const before = await ask({ do: "look" });
    for (const epoch of [displaced, 4711]) {
      for (const change of changes(epoch)) {
        expect(await ask(change)).toEqual({
          status: 409,
          answer: { error: "another command has taken over this release's lease" },
        });
      }
      expect((await ask({ do: "renew-lease", epoch })).answer).toEqual({ renewed: false });
    }
    expect(await ask({ do: "look" })).toEqual(before);
  });

  it("gives the lease to one at a time, and tells who has it and whether that command lives", async () => {
    const mine = await lease();
    const take = { do: "take-lease", holder: "another" };
    const { answer } = await ask(take);

    expect(answer).toEqual({ holder: "a test", secondsLeft: expect.any(Number), renewals: 0 });
    expect(answer.secondsLeft).toBeLessThanOrEqual(LEASE_TTL_MS / 1000);
    await ask({ do: "renew-lease", epoch: mine });
    expect((await ask(take)).answer).toMatchObject({ renewals: 1 });
    await ask({ do: "give-lease-back", epoch: mine });
    expect((await ask(take)).answer).toEqual({ epoch: mine + 1, ttlMs: LEASE_TTL_MS });
  });

  it("says that a build is missing, and stages nothing", async () => {
    const { status, answer } = await ask({
      do: "stage",
      epoch: await lease(),
      color: "green",
      image: "/nowhere.js",
      mark: "m",
      settings: {},
    });

    expect(status).toBe(422);
    expect(answer.error).toContain("there is no build at '/nowhere.js'; run 'mcp-bluegreen build' first");
  });
});
