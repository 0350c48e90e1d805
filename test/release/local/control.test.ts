import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { image, startHost, type AHost } from "./a-host.ts";

let aHost: AHost;

beforeAll(async () => {
  aHost = await startHost({ leaseTtlMs: 300 });
});

afterAll(async () => {
  await aHost[Symbol.asyncDispose]();
});

async function ask(request: unknown, token = aHost.token) {
  const body = typeof request === "string" ? request : JSON.stringify(request);
  const response = await fetch(aHost.control, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

async function lease(): Promise<string> {
  for (;;) {
    const { answer } = await ask({ do: "take-lease", holder: "a test" });
    if (typeof answer.id === "string") return answer.id;
    await new Promise((resolve) => setTimeout(resolve, Number(answer.secondsLeft) * 1000));
  }
}

const changes = (lease: string) => [
  { do: "stage", lease, color: "green", image: image("version-2"), settings: {} },
  { do: "pin", lease, color: "blue", pods: 2 },
  { do: "move-traffic", lease, from: "blue", to: "green" },
  {
    do: "record",
    lease,
    release: {
      id: "r",
      image: "x",
      version: "2",
      from: "blue",
      to: "green",
      phase: "bake",
      startedAt: new Date().toISOString(),
    },
  },
  { do: "give-lease-back", lease },
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
    const { status, answer } = await ask({ do: "pin", lease: "x", color: "red", pods: 0 });
    expect(status).toBe(400);
    expect(answer.error).toContain("color");
  });

  it("changes nothing for a command that never had the lease", async () => {
    const before = await ask({ do: "look" });
    for (const change of changes("made up")) {
      expect(await ask(change)).toEqual({ status: 409, answer: { error: "the lease has lapsed" } });
    }
    expect(await ask({ do: "look" })).toEqual(before);
  });

  it("changes nothing for a command whose lease has lapsed, even when nobody else has taken it", async () => {
    const lapsed = await lease();
    await new Promise((resolve) => setTimeout(resolve, 320));
    const before = await ask({ do: "look" });

    for (const change of changes(lapsed)) expect((await ask(change)).status).toBe(409);
    expect((await ask({ do: "renew-lease", lease: lapsed })).answer).toEqual({ renewed: false });
    expect(await ask({ do: "look" })).toEqual(before);
  });

  it("gives the lease to one at a time, and says who has it", async () => {
    const mine = await lease();
    const { answer } = await ask({ do: "take-lease", holder: "another" });

    expect(answer).toEqual({ holder: "a test", secondsLeft: expect.any(Number) });
    expect(answer.secondsLeft).toBeLessThanOrEqual(0.3);
    await ask({ do: "give-lease-back", lease: mine });
    expect((await ask({ do: "take-lease", holder: "another" })).answer).toEqual({
      id: expect.any(String),
      ttlMs: 300,
    });
  });

  it("says that a build is missing, and stages nothing", async () => {
    const { status, answer } = await ask({
      do: "stage",
      lease: await lease(),
      color: "green",
      image: "/nowhere.js",
      settings: {},
    });

    expect(status).toBe(422);
    expect(answer.error).toContain("there is no build at '/nowhere.js'; run 'npm run build' first");
  });
});
