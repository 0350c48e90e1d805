import { describe, expect, it, jest } from "@jest/globals";
import { Breaker, type BreakerEvent } from "../../../app/src/resilience/breaker.ts";
import { FailureRate } from "../../../app/src/resilience/failure-rate.ts";

import { admitted, clocked, fail } from "./a-breaker.ts";

describe("a breaker of three failures", () => {
  it("opens at the third failure in a row and says when to try again", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.advance(400);

    expect(breaker.state).toBe("open");
    expect(breaker.tryAcquire()).toEqual({ admitted: false, reason: "open", policy: "api", retryAfterMs: 600 });
  });

  it("starts counting anew after a success", () => {
    const { breaker } = clocked();
    fail(breaker, 2);
    admitted(breaker.tryAcquire()).succeed();
    fail(breaker, 2);

    expect(breaker.state).toBe("closed");
  });

  it("lets one probe through after the recovery time, and no second one beside it", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.advance(1000);
    admitted(breaker.tryAcquire());

    expect(breaker.state).toBe("half-open");
    expect(breaker.tryAcquire()).toMatchObject({ admitted: false, reason: "probing", retryAfterMs: 0 });
  });

  it("closes after two successful probes", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.advance(1000);
    admitted(breaker.tryAcquire()).succeed();
    expect(breaker.state).toBe("half-open");
    admitted(breaker.tryAcquire()).succeed();

    expect(breaker.state).toBe("closed");
  });

  it("stays open longer each time that a probe fails, up to twice the recovery time, less a part left to chance", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    const waits = [1, 2, 3].map(() => {
      const { retryAfterMs } = breaker.stats;
      clock.advance(retryAfterMs);
      admitted(breaker.tryAcquire()).fail();
      return retryAfterMs;
    });

    expect(waits).toEqual([1000, 1800, 1800]);
  });

  it("starts over once it has closed", () => {
    const { breaker, clock } = clocked({ successThreshold: 1, random: () => 0 });
    const reopen = () => {
      clock.advance(breaker.stats.retryAfterMs);
      admitted(breaker.tryAcquire()).fail();
      return breaker.stats.retryAfterMs;
    };
    fail(breaker, 3);
    expect([reopen(), reopen()]).toEqual([2000, 2000]);
    clock.advance(2000);
    admitted(breaker.tryAcquire()).succeed();
    fail(breaker, 3);

    expect(breaker.stats.retryAfterMs).toBe(1000);
  });

  it("gives a cancelled probe's place to the next one", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.advance(1000);
    admitted(breaker.tryAcquire()).cancel();

    expect(breaker.tryAcquire().admitted).toBe(true);
  });

  it("opens again when nothing is heard of its probes for the time a call may take", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.advance(1000);
    admitted(breaker.tryAcquire());
    clock.advance(50);

    expect(breaker.tryAcquire()).toMatchObject({ reason: "open", retryAfterMs: 1800 });
  });

  it("probes no more while one of its probes may still be under way, however soon it would recover", () => {
    const { breaker, clock } = clocked({ recoveryTimeout: 10, timeout: 50, halfOpenLimit: 2 });
    fail(breaker, 3);
    clock.advance(10);
    const [bad, slow] = [admitted(breaker.tryAcquire()), admitted(breaker.tryAcquire())];
    bad.fail();
    clock.advance(49);
    expect(breaker.tryAcquire()).toMatchObject({ admitted: false, reason: "open", retryAfterMs: 1 });

    clock.advance(1);
    slow.succeed();
    expect(breaker.tryAcquire().admitted).toBe(true);
  });

  it("is not moved by calls that began before it last changed state", () => {
    const { breaker, clock } = clocked();
    const early = [1, 2].map(() => admitted(breaker.tryAcquire()));
    fail(breaker, 3);
    clock.advance(1000);
    admitted(breaker.tryAcquire());
    early[0]?.fail();
    early[1]?.succeed();

    expect(breaker.state).toBe("half-open");
    expect(breaker.tryAcquire().admitted).toBe(false);
  });

  it("counts a permit once, however often it is settled", () => {
    const { breaker } = clocked();
    const permit = admitted(breaker.tryAcquire());
    permit.fail();
    permit.fail();
    permit.succeed();

    expect(breaker.stats).toMatchObject({ failures: 1, successes: 0, consecutiveFailures: 1 });
  });

  it("stays open no longer for a clock that jumps back", () => {
    const { breaker, clock } = clocked();
    fail(breaker, 3);
    clock.jump(-3_600_000);
    clock.advance(1000);

    expect(breaker.tryAcquire().admitted).toBe(true);
  });

  it("opens by hand and stays open until it is reset", () => {
    const { breaker, clock } = clocked();
    breaker.forceOpen();
    clock.advance(60_000);
    expect(breaker.tryAcquire()).toMatchObject({ reason: "open" });
    expect(breaker.stats).toMatchObject({ forced: true, state: "open" });
    breaker.reset();

    expect(breaker.tryAcquire().admitted).toBe(true);
    expect(breaker.stats.forced).toBe(false);
  });

  it("stays open by hand even if it would otherwise recover at once", () => {
    const { breaker } = clocked({ recoveryTimeout: 0 });
    breaker.forceOpen();

    expect(breaker.tryAcquire().admitted).toBe(false);
  });

  it("tells listeners of each change of state until they leave", () => {
    const { breaker, clock } = clocked({ successThreshold: 1 });
    const seen: BreakerEvent[] = [];
    const leave = breaker.events.on((event) => seen.push(event));
    breaker.events.on(() => {
      throw new Error("a listener's own mistake");
    });
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    fail(breaker, 3);
    breaker.tryAcquire();
    clock.advance(1000);
    admitted(breaker.tryAcquire()).succeed();
    leave();
    fail(breaker, 3);
    warn.mockRestore();

    expect(seen.map((event) => (event.type === "transition" ? `${event.from} → ${event.to}` : event.type))).toEqual([
      "closed → open",
      "open → half-open",
      "half-open → closed",
    ]);
  });

  it("refuses to be made without anything that could open it", () => {
    expect(() => new Breaker({ name: "api", recoveryTimeout: 1000 })).toThrow(/'api' needs a 'failureThreshold'/);
  });

  it.each([{ failureThreshold: 0 }, { successThreshold: 0 }, { halfOpenLimit: 0 }, { recoveryTimeout: NaN }])(
    "refuses what would open it without a failure or never close it: %j",
    (options) => {
      const [[name, value] = []] = Object.entries(options);
      expect(() => clocked(options)).toThrow(`'${name}' (${value})`);
    },
  );

  it.each([
    ["forceOpen", "of its opening", ["closed → open"], "open"],
    ["forceOpen", "of its half-open state", ["closed → open", "open → half-open", "half-open → open"], "open"],
    ["reset", "of its opening", ["closed → open", "open → closed"], "closed"],
    ["reset", "of its half-open state", ["closed → open", "open → half-open", "half-open → closed"], "closed"],
  ] as const)("goes where %s moves it when it tells %s", (move, when, transitions, state) => {
    const { breaker, clock } = clocked({ failureThreshold: 1 });
    const seen: string[] = [];
    breaker.events.on((event) => {
      if (event.type === "transition") seen.push(`${event.from} → ${event.to}`);
    });
    const leave = breaker.events.on((event) => {
      if (event.type !== "transition" || event.to !== (when === "of its opening" ? "open" : "half-open")) return;
      leave();
      breaker[move]();
    });
    fail(breaker, 1);
    if (when === "of its half-open state") {
      clock.advance(1000);
      const answer = breaker.tryAcquire();
      expect(answer.admitted).toBe(state === "closed");
      if (answer.admitted) answer.cancel();
    }

    expect(seen).toEqual(transitions);
    expect(breaker.stats).toMatchObject({ state, forced: move === "forceOpen" });
  });
});

describe("a breaker with a failure rate of a half, over ten calls in a second", () => {
  const rated = () =>
    clocked({ failureThreshold: 100, rule: new FailureRate({ threshold: 0.5, window: 1000, minimumCalls: 10 }) });
  const alternate = (breaker: Breaker, calls: number) => {
    for (let call = 0; call < calls; call += 1) {
      const permit = admitted(breaker.tryAcquire());
      if (call % 2 === 0) permit.succeed();
      else permit.fail();
    }
  };

  it("opens when every second call fails, which never are two in a row", () => {
    const { breaker } = rated();
    alternate(breaker, 8);
    expect(breaker.state).toBe("closed");
    alternate(breaker, 2);

    expect(breaker.state).toBe("open");
  });

  it("opens at just the share that it was told, also where that is no round number", () => {
    const { breaker } = clocked({
      failureThreshold: 100,
      rule: new FailureRate({ threshold: 0.07, window: 1000, minimumCalls: 100 }),
    });
    for (let call = 0; call < 93; call += 1) admitted(breaker.tryAcquire()).succeed();
    fail(breaker, 6);
    expect(breaker.state).toBe("closed");
    fail(breaker, 1);

    expect(breaker.state).toBe("open");
  });

  it("forgets what is longer ago than its window", () => {
    const { breaker, clock } = rated();
    alternate(breaker, 8);
    clock.advance(1000);
    alternate(breaker, 8);

    expect(breaker.state).toBe("closed");
  });

  it("starts its count anew once it has closed", () => {
    const { breaker, clock } = rated();
    alternate(breaker, 10);
    clock.advance(1000);
    alternate(breaker, 1);
    admitted(breaker.tryAcquire()).succeed();
    expect(breaker.state).toBe("closed");
    alternate(breaker, 8);

    expect(breaker.state).toBe("closed");
  });
});
