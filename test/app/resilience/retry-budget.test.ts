import { describe, expect, it } from "@jest/globals";
import { RetryBudget } from "../../../app/src/resilience/retry-budget.ts";
import { fakeTime } from "./fake-clock.ts";

/** Repetitions that it allows now. */
function spent(budget: RetryBudget): number {
  let count = 0;
  while (budget.trySpend()) count += 1;
  return count;
}

describe("a retry budget", () => {
  it("starts empty, and allows a share of the calls", () => {
    const budget = new RetryBudget();
    expect(spent(budget)).toBe(0);
    for (let call = 0; call < 30; call += 1) budget.earn();

    expect(spent(budget)).toBe(3);
  });

  it("saves up only so many", () => {
    const budget = new RetryBudget({ ratio: 1, max: 5 });
    for (let call = 0; call < 100; call += 1) budget.earn();

    expect(spent(budget)).toBe(5);
  });

  it("allows so many a second without any calls, where it is told to, and starts with what it can hold", () => {
    const { clock, time } = fakeTime();
    const budget = new RetryBudget({ perSecond: 2, max: 5, time });
    expect(spent(budget)).toBe(5);

    clock.advance(1000);
    expect(spent(budget)).toBe(2);
    clock.advance(250);
    expect(spent(budget)).toBe(0);
    clock.advance(250);
    expect(spent(budget)).toBe(1);
    clock.advance(3_600_000);
    expect(spent(budget)).toBe(5);
  });
});
