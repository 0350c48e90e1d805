import { describe, expect, it } from "@jest/globals";
import { LocalBreakerHistory } from "../../../app/src/resilience/breaker-history.ts";
import { BreakerRegistry } from "../../../app/src/resilience/breaker-registry.ts";
import { fakeTime } from "./fake-clock.ts";

const told = (history: LocalBreakerHistory) =>
  history.entries.map(({ breaker, from, to, reason }) => `${breaker}: ${from} → ${to} (${reason})`);

describe("the history of breakers", () => {
  it("tells what each breaker did and why, oldest first, also of those that were there before", () => {
    const { clock, time } = fakeTime();
    const registry = new BreakerRegistry();
    const early = registry.create({ name: "early", failureThreshold: 1, recoveryTimeout: 100, time });
    const history = new LocalBreakerHistory(registry);
    const late = registry.create({ name: "late", failureThreshold: 1, recoveryTimeout: 100, time });
    const acquire = () => {
      const permit = early.tryAcquire();
      if (!permit.admitted) throw new Error("rejected");
      return permit;
    };

    acquire().fail();
    late.forceOpen();
    clock.advance(101);
    acquire().fail();
    clock.advance(201);
    acquire().succeed();
    late.reset();

    expect(told(history)).toEqual([
      "early: closed → open (failures)",
      "late: closed → open (forced)",
      "early: open → half-open (recovery-time)",
      "early: half-open → open (probe-failed)",
      "early: open → half-open (recovery-time)",
      "early: half-open → closed (probes-succeeded)",
      "late: open → closed (reset)",
    ]);
    expect(history.entries.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true);
  });

  it("keeps the latest so many and forgets what was before them", () => {
    const registry = new BreakerRegistry();
    const breaker = registry.create({ name: "b", failureThreshold: 1, recoveryTimeout: 100 });
    const history = new LocalBreakerHistory(registry, 3);
    for (let turn = 0; turn < 10; turn += 1) {
      breaker.forceOpen();
      breaker.reset();
    }
    breaker.forceOpen();

    expect(history.entries.map(({ to }) => to)).toEqual(["open", "closed", "open"]);
  });
});
