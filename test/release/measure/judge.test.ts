import { describe, expect, it } from "@jest/globals";
import { judge } from "../../../release/measure/judge.ts";

const LIMITS = { minCalls: 20, maxErrorRatio: 0.01, maxP95Ms: 300 };

describe("judging a measurement", () => {
  it("passes at its limits, and says what was seen beside them", () => {
    expect(judge({ calls: 200, errors: 2, p95Ms: 300 }, LIMITS)).toEqual({
      outcome: "pass",
      evidence: "200 calls, 1.0 % failed (limit 1.0 %), p95 300 ms (limit 300 ms)",
    });
  });

  it("fails beyond either limit", () => {
    expect(judge({ calls: 200, errors: 3, p95Ms: 10 }, LIMITS).outcome).toBe("fail");
    expect(judge({ calls: 200, errors: 0, p95Ms: 300.1 }, LIMITS).outcome).toBe("fail");
    expect(judge({ calls: 200, errors: 200, p95Ms: Infinity }, LIMITS).outcome).toBe("fail");
  });

  it("is inconclusive on fewer calls than count as data, however good or bad they were", () => {
    const inconclusive = { outcome: "inconclusive", evidence: "19 calls, fewer than the 20 that count as data" };

    expect(judge({ calls: 19, errors: 0, p95Ms: 1 }, LIMITS)).toEqual(inconclusive);
    expect(judge({ calls: 19, errors: 19, p95Ms: 1 }, LIMITS)).toEqual(inconclusive);
    expect(judge({ calls: 0, errors: 0, p95Ms: undefined }, LIMITS).outcome).toBe("inconclusive");
  });
});
