import { describe, expect, it } from "@jest/globals";
import { cached } from "../../../app/src/cache/cached.ts";
import { Cache } from "../../../app/src/cache/cache.ts";
import { CallerCall, PLAIN_CALL, type Call } from "../../../app/src/resilience/call.ts";

function rates() {
  const asked: string[] = [];
  const fetchRate = (_call: Call, currency: string, { day }: { day?: number } = {}) => {
    asked.push(`${currency} ${day ?? "today"}`);
    return currency === "XXX" ? Promise.reject(new Error("no such currency")) : Promise.resolve(asked.length);
  };
  return { asked, fetchRate, cache: new Cache<number>({ name: "rates", ttl: 60_000 }) };
}

describe("a function that is cached", () => {
  it("is called once for the same arguments, and again for others", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await Promise.all([rate(PLAIN_CALL, "EUR"), rate(PLAIN_CALL, "EUR"), rate(PLAIN_CALL, "EUR", { day: 1 })]);

    expect(await rate(PLAIN_CALL, "EUR")).toEqual({ value: 1, source: "memory" });
    expect(await rate(PLAIN_CALL, "EUR", { day: 1 })).toEqual({ value: 2, source: "memory" });
    expect(asked).toEqual(["EUR today", "EUR 1"]);
  });

  it("can be warmed, so that the first caller need not wait", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await rate.warm("EUR");
    await rate(PLAIN_CALL, "EUR");

    expect(asked).toEqual(["EUR today"]);
    expect(cache.stats).toMatchObject({ hits: 1, loads: 1 });
  });

  it("throws what the function throws, and calls it again next time", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await expect(rate(PLAIN_CALL, "XXX")).rejects.toThrow("no such currency");
    await expect(rate.warm("XXX")).rejects.toThrow("no such currency");

    expect(asked.length).toBe(2);
  });

  it("answers one caller though another one who asked first has gone, and stops when nobody is left", async () => {
    const cache = new Cache<string>({ name: "slow", ttl: 60_000 });
    const started: Call[] = [];
    const answer = Promise.withResolvers<string>();
    const slow = cached(
      (call: Call) => {
        started.push(call);
        return answer.promise;
      },
      { cache },
    );
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = slow(new CallerCall({ signal: first.signal, client: "first" }));
    const patient = slow(new CallerCall({ signal: second.signal, client: "second" }));
    first.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    expect(started.map(({ cancelled, client }) => ({ cancelled, client }))).toEqual([
      { cancelled: false, client: "first" },
    ]);
    second.abort(new Error("gone too"));
    await expect(patient).rejects.toThrow("gone too");

    expect(started.map(({ cancelled }) => cancelled)).toEqual([true]);
  });

  it("takes for the same what its key takes for the same", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, {
      cache,
      key: (currency, { day } = {}) => `${currency.toUpperCase()} ${day === undefined ? "" : day % 7}`,
    });
    await rate(PLAIN_CALL, "eur", { day: 1 });
    await rate(PLAIN_CALL, "EUR", { day: 8 });

    expect(asked).toEqual(["eur 1"]);
  });
});
