import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { BUCKETS } from "../../../app/src/telemetry/metrics.ts";
import { bundledServer } from "../../../environment/bundled-server.ts";
import { BOUNDS_MS } from "../../../environment/schema/release.ts";
import {
  boundOf,
  difference,
  quantile,
  readCalls as read,
  slowCalls,
  sum,
  undecidedCalls,
  type CallHistogram,
} from "../../../release/measure/histogram.ts";

const NAMES = bundledServer().metrics;
const METRIC = NAMES.histogram;
const readCalls = (text: string) => read(text, NAMES);

/** What a pod's `/metrics` says of calls that took so long, one label set per tool and kind of error. */
function scrape(labels: string, seconds: readonly number[], bounds: readonly number[] = [0.1, 0.5]): string {
  const buckets = bounds.map((bound) => [String(bound), seconds.filter((value) => value <= bound).length]);
  return [
    `# TYPE ${METRIC} histogram`,
    ...[...buckets, ["+Inf", seconds.length]].map(([le, count]) => `${METRIC}_bucket{le="${le}",${labels}} ${count}`),
    `${METRIC}_sum{${labels}} ${seconds.reduce((total, value) => total + value, 0)}`,
    `${METRIC}_count{${labels}} ${seconds.length}`,
  ].join("\n");
}

const CALL = 'mcp_method_name="tools/call",gen_ai_tool_name="echo",error_type=""';

describe("reading calls from a scrape", () => {
  it("adds up the label sets of tool calls, and counts those with an error type as errors", () => {
    const failed = 'mcp_method_name="tools/call",gen_ai_tool_name="other",error_type="tool_error"';

    expect(readCalls(`${scrape(CALL, [0.05, 0.2])}\n${scrape(failed, [0.3, 1, 2])}`)).toEqual({
      buckets: new Map([
        [0.1, 1],
        [0.5, 3],
        [Infinity, 5],
      ]),
      calls: 5,
      errors: 3,
    });
  });

  it.each(["caller_error", "rate_limited", "-32602", "cancelled"])(
    "does not blame a version for what its callers do: %s",
    (type) => {
      const asked = `mcp_method_name="tools/call",gen_ai_tool_name="echo",error_type="${type}"`;

      expect(readCalls(scrape(asked, [0.05]))).toMatchObject({ calls: 1, errors: 0 });
    },
  );

  it("leaves out what is no tool call, and other metrics whose names begin alike", () => {
    const text = [
      scrape('mcp_method_name="tools/list",error_type=""', [0.1]),
      `${METRIC}_created{${CALL}} 1.7e9`,
      `${METRIC}_other_count{${CALL}} 7`,
      'http_requests_total{mcp_method_name="tools/call"} 9',
    ].join("\n");

    expect(readCalls(text)).toEqual({ buckets: new Map(), calls: 0, errors: 0 });
  });

  it("takes labels in any order, with spaces, escapes, braces and a comma at the end", () => {
    const labels = String.raw`error_type="", gen_ai_tool_name="a \"quoted\" } 3 \\", mcp_method_name="tools/call",`;

    expect(readCalls(`${METRIC}_count{${labels}}  1.2e+01 1700000000000`).calls).toBe(12);
  });

  it("goes by the names of another server, which may have labels or none", () => {
    const text = [
      'calls_seconds_bucket{op="tools/call",failure="",le="1"} 2',
      'calls_seconds_count{op="tools/call",failure=""} 3',
      'calls_seconds_count{op="tools/call",failure="boom"} 1',
      'calls_seconds_count{op="tools/list"} 9',
    ].join("\n");
    const names = { histogram: "calls_seconds", methodLabel: "op", errorLabel: "failure" };

    expect(read(text, names)).toEqual({ buckets: new Map([[1, 2]]), calls: 4, errors: 1 });
    expect(read(text, { histogram: "calls_seconds" })).toMatchObject({ calls: 13, errors: 0 });
    expect(read("app:calls_count 5", { histogram: "app:calls" })).toMatchObject({ calls: 5, errors: 0 });
  });

  it("reads the value and not the exemplar behind it", () => {
    expect(readCalls(`${METRIC}_count{${CALL}} 4 # {trace_id="abc"} 0.5`).calls).toBe(4);
  });

  it("takes a scrape without the metric, or one that is no metrics at all, as no calls", () => {
    for (const text of ["", "<html>", `${METRIC}_count{${CALL}} NaN`, `${METRIC}_count{${CALL}`]) {
      expect(readCalls(text).calls).toBe(0);
    }
  });
});

describe("what happened between two scrapes", () => {
  it("is their difference", () => {
    const before = readCalls(scrape(CALL, [0.05]));
    const now = readCalls(scrape(CALL, [0.05, 0.3, 0.7]));

    expect(difference(before, now)).toEqual({
      buckets: new Map([
        [0.1, 0],
        [0.5, 1],
        [Infinity, 2],
      ]),
      calls: 2,
      errors: 0,
    });
  });

  it("is everything for a pod that was not there before", () => {
    const now = readCalls(scrape(CALL, [0.05]));

    expect(difference(undefined, now)).toBe(now);
  });

  it("is everything since a restart, even when the pod has had more calls by now than before it", () => {
    const before = readCalls(scrape(CALL, [0.05, 0.05]));
    const fewer = readCalls(scrape(CALL, [0.3]));
    const more = readCalls(scrape(CALL, [0.3, 0.7, 0.9]));

    expect(difference(before, fewer)).toBe(fewer);
    expect(difference(before, more)).toBe(more);
  });

  it("of several pods adds up", () => {
    const one = readCalls(scrape(CALL, [0.05, 0.3]));

    expect(sum([one, one, readCalls("")])).toEqual({
      buckets: new Map([
        [0.1, 2],
        [0.5, 4],
        [Infinity, 4],
      ]),
      calls: 4,
      errors: 0,
    });
  });
});

describe("calls whose clients went away before the answer", () => {
  const cancelled = 'mcp_method_name="tools/call",gen_ai_tool_name="echo",error_type="cancelled"';
  const one = readCalls(`${scrape(CALL, [0.05])}\n${scrape(cancelled, [0.05, 0.3, 2])}`);

  it("are slow if the client waited longer than the objective, and otherwise decide nothing", () => {
    expect([slowCalls(one, 0.1), undecidedCalls(one, 0.1)]).toEqual([2, 1]);
    expect([slowCalls(one, 0.5), undecidedCalls(one, 0.5)]).toEqual([1, 2]);
    expect(one).toMatchObject({ calls: 4, errors: 0 });
  });

  it("are told apart between two scrapes and over several pods", () => {
    const more = readCalls(`${scrape(CALL, [0.05])}\n${scrape(cancelled, [0.05, 0.05, 0.3, 2])}`);
    const during = difference(one, more);

    expect([during.calls, undecidedCalls(during, 0.1)]).toEqual([1, 1]);
    expect(undecidedCalls(sum([one, during, readCalls(scrape(CALL, [0.05]))]), 0.1)).toBe(2);
  });

  it("are none of a server that has no such error type", () => {
    expect(undecidedCalls(readCalls(scrape(CALL, [0.05])), 0.1)).toBe(0);
  });
});

describe("a quantile", () => {
  it("is nothing over no calls", () => {
    expect(quantile(readCalls(""), 0.95)).toBeUndefined();
    expect(quantile(readCalls(scrape(CALL, [])), 0.95)).toBeUndefined();
  });

  it("is interpolated within its bucket, and the last finite bound beyond that", () => {
    expect(quantile(readCalls(scrape(CALL, [0.2, 0.2, 0.2, 0.2])), 0.5)).toBeCloseTo(0.3);
    expect(quantile(readCalls(scrape(CALL, [0.05, 9, 9, 9])), 0.95)).toBe(0.5);
  });

  it("is what Prometheus would say, for any counts", () => {
    const counts = fc.array(fc.nat(1000), { minLength: 2, maxLength: 12 });
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(counts, share, (counts, share) => {
        fc.pre(counts.some((count) => count > 0));
        const histogram = histogramOf(counts);

        expect(quantile(histogram, share)).toBeCloseTo(bucketQuantile(share, histogram), 9);
      }),
    );
  });

  it("lies in the bucket of the value that it stands for", () => {
    const bounds = [0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1];
    const durations = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(durations, (durations) => {
        const exact = durations.toSorted((a, b) => a - b)[Math.ceil(0.95 * durations.length) - 1] ?? 0;
        const upper = bounds.find((bound) => exact <= bound) ?? Infinity;
        const lower = bounds.findLast((bound) => bound < upper) ?? 0;
        const estimate = quantile(readCalls(scrape(CALL, durations, bounds)), 0.95) ?? NaN;

        expect(estimate).toBeGreaterThanOrEqual(lower);
        expect(estimate).toBeLessThanOrEqual(upper);
      }),
    );
  });
});

/** Buckets of these counts each, at 1, 2, 3 … seconds, the last one without a bound. */
function histogramOf(counts: readonly number[]): CallHistogram {
  let total = 0;
  const buckets = counts.map((count, index): [number, number] => {
    total += count;
    return [index === counts.length - 1 ? Infinity : index + 1, total];
  });
  return { buckets: new Map(buckets), calls: total, errors: 0 };
}

/** Prometheus' `bucketQuantile` (promql/quantile.go), transcribed. */
function bucketQuantile(q: number, histogram: CallHistogram): number {
  const buckets = [...histogram.buckets].map(([upperBound, count]) => ({ upperBound, count }));
  const at = (index: number) => buckets[index] ?? { upperBound: NaN, count: NaN };
  const observations = at(buckets.length - 1).count;
  let rank = q * observations;
  const b = buckets.findIndex(({ count }) => count >= rank);
  if (b === buckets.length - 1) return at(buckets.length - 2).upperBound;
  let bucketStart = 0;
  const bucketEnd = at(b).upperBound;
  let count = at(b).count;
  if (b > 0) {
    bucketStart = at(b - 1).upperBound;
    count -= at(b - 1).count;
    rank -= at(b - 1).count;
  }
  return bucketStart + (bucketEnd - bucketStart) * (rank / count);
}

describe("slow calls", () => {
  const histogram = {
    calls: 10,
    errors: 0,
    buckets: new Map([
      [0.1, 2],
      [0.25, 6],
      [0.5, 9],
      [Infinity, 10],
    ]),
  };

  it("are those above the objective, where it is a bound", () => {
    expect(slowCalls(histogram, 250 / 1000)).toBe(4);
  });

  it("are those above the next lower bound, where it is none", () => {
    expect(boundOf(histogram, 0.3)).toBe(0.25);
    expect(slowCalls(histogram, 0.3)).toBe(4);
  });

  it("are all of them, where no bound is as low", () => {
    expect(boundOf(histogram, 0.05)).toBeUndefined();
    expect(slowCalls(histogram, 0.05)).toBe(10);
  });

  it("are counted at bounds that the app's histogram has", () => {
    expect(BOUNDS_MS.map((ms) => ms / 1000)).toEqual(BUCKETS);
  });
});
