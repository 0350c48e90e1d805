import { describe, expect, it } from "@jest/globals";
import { Breaker, type BreakerEvent } from "../../../app/src/resilience/breaker.ts";
import type { Outcome } from "../../../app/src/resilience/breaker-options.ts";
import type { ProbeLease } from "../../../app/src/resilience/probe-leases.ts";
import { admitted } from "./a-breaker.ts";
import { fakeTime } from "./fake-clock.ts";

/** A breaker that others hold open, for a second. */
function held() {
  const { clock, time } = fakeTime();
  const breaker = new Breaker({ name: "api", failureThreshold: 1, recoveryTimeout: 1000, time });
  const rejected: number[] = [];
  const hold = (remaining = 1000) => {
    breaker.holdOpen({ remaining, openings: 1, rejected: () => rejected.push(time.now()) });
  };
  hold();
  const outcomes: Outcome[] = [];
  const lease = (milliseconds = 500): ProbeLease => ({
    useBy: time.now() + milliseconds,
    settle: (outcome) => outcomes.push(outcome),
  });
  return { breaker, clock, rejected, outcomes, lease, hold };
}

describe("a breaker that pods hold open together", () => {
  it("lets nothing through when its time is over, but says that a call was turned away", () => {
    const { breaker, clock, rejected } = held();
    clock.advance(5000);

    expect(breaker.tryAcquire()).toEqual({ admitted: false, reason: "open", policy: "api", retryAfterMs: 0 });
    expect(rejected).toHaveLength(1);
  });

  it("lets one call through for each lease, and tells how it went without changing state by itself", () => {
    const { breaker, outcomes, lease } = held();
    for (let probe = 0; probe < 3; probe += 1) breaker.lend(lease());
    const [good, bad, cancelled] = [1, 2, 3].map(() => admitted(breaker.tryAcquire()));
    expect(breaker.tryAcquire()).toMatchObject({ reason: "probing" });
    good?.succeed();
    bad?.fail();
    cancelled?.cancel();

    expect(outcomes).toEqual(["success", "failure", "nothing"]);
    expect(breaker.state).toBe("half-open");
    expect(breaker.stats).toMatchObject({ successes: 1, failures: 1 });
  });

  it("begins no probe under a lease whose time is over, or that was taken back", () => {
    const { breaker, clock, lease } = held();
    const [old, unwanted] = [lease(100), lease()];
    breaker.lend(old);
    breaker.lend(unwanted);
    clock.advance(101);

    expect(breaker.takeBack(unwanted)).toBe(true);
    expect(breaker.tryAcquire().admitted).toBe(false);
    expect(breaker.takeBack(unwanted)).toBe(false);
  });

  it("tells how a probe went that an episode before has lent, and is not moved by it", () => {
    const { breaker, outcomes, lease, hold } = held();
    breaker.lend(lease());
    const probe = admitted(breaker.tryAcquire());
    hold();
    probe.fail();

    expect(outcomes).toEqual(["failure"]);
    expect(breaker.state).toBe("open");
  });

  it("does not hear of a probe once it has closed", () => {
    const { breaker, outcomes, lease, hold } = held();
    breaker.lend(lease());
    const probe = admitted(breaker.tryAcquire());
    breaker.closeWithOthers();
    hold();
    probe.fail();

    expect(outcomes).toEqual([]);
  });

  it("goes on by its own rules once it is let go: open for the time that is left, then with its own probes", () => {
    const { breaker, clock, lease } = held();
    breaker.letGo();
    breaker.lend(lease());
    clock.advance(999);
    expect(breaker.tryAcquire()).toMatchObject({ reason: "open", retryAfterMs: 1 });
    clock.advance(1);
    admitted(breaker.tryAcquire()).succeed();

    expect(breaker.state).toBe("closed");
  });

  it("counts a probe that is under way among its own, once it is let go", () => {
    const { breaker, outcomes, lease } = held();
    breaker.lend(lease());
    const leased = admitted(breaker.tryAcquire());
    breaker.letGo();
    expect(breaker.tryAcquire()).toMatchObject({ reason: "probing" });
    leased.succeed();

    expect(breaker.state).toBe("closed");
    expect(outcomes).toEqual([]);
  });

  it("waits no longer for a probe that it was lent than for its own, once it is let go", () => {
    const { breaker, clock, lease } = held();
    breaker.lend(lease());
    admitted(breaker.tryAcquire());
    breaker.letGo();
    clock.advance(1000);

    expect(breaker.tryAcquire().admitted).toBe(false);
    expect(breaker.state).toBe("open");
  });

  it("takes a hand's word while it tells of the probes that it was lent", () => {
    const { breaker, lease } = held();
    breaker.events.on((event) => {
      if (event.type === "transition" && event.to === "half-open") breaker.forceOpen();
    });
    breaker.lend(lease());

    expect(breaker.tryAcquire()).toMatchObject({ admitted: false, reason: "open" });
    expect(breaker.stats.forced).toBe(true);
  });

  it("is open without probes when it is forced, whatever it was lent", () => {
    const { breaker, lease } = held();
    breaker.lend(lease());
    breaker.forceOpen();

    expect(breaker.tryAcquire()).toMatchObject({ reason: "open" });
  });

  it("tells of each change that it follows, and of hands", () => {
    const { breaker, lease } = held();
    const events: BreakerEvent[] = [];
    breaker.events.on((event) => events.push(event));
    breaker.lend(lease());
    breaker.closeWithOthers();
    breaker.closeWithOthers();
    breaker.reset();

    expect(events).toEqual([
      { type: "transition", name: "api", from: "open", to: "half-open", reason: "cluster" },
      { type: "transition", name: "api", from: "half-open", to: "closed", reason: "cluster" },
      { type: "operator", name: "api", forced: false },
    ]);
  });
});
