import { describe, expect, it } from "@jest/globals";
import { cached } from "../../../app/src/cache/cached.ts";
import { Cache } from "../../../app/src/cache/cache.ts";

function rates() {
  const asked: string[] = [];
  const fetchRate = (currency: string, { day }: { day?: number } = {}) => {
    asked.push(`${currency} ${day ?? "today"}`);
    return currency === "XXX" ? Promise.reject(new Error("no such currency")) : Promise.resolve(asked.length);
  };
  return { asked, fetchRate, cache: new Cache<number>({ name: "rates", ttl: 60_000 }) };
}

describe("a function that is cached", () => {
  it("is called once for the same arguments, and again for others", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await Promise.all([rate("EUR"), rate("EUR"), rate("EUR", { day: 1 })]);

    expect(await rate("EUR")).toBe(1);
    expect(await rate("EUR", { day: 1 })).toBe(2);
    expect(asked).toEqual(["EUR today", "EUR 1"]);
  });

  it("forgets on demand, for these arguments alone", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await rate("EUR");
    await rate("USD");
    rate.invalidate("EUR");
    await rate("EUR");
    await rate("USD");

    expect(asked).toEqual(["EUR today", "USD today", "EUR today"]);
  });

  it("can be warmed, so that the first caller need not wait", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await rate.warm("EUR");
    await rate("EUR");

    expect(asked).toEqual(["EUR today"]);
    expect(cache.stats).toMatchObject({ hits: 1, loads: 1 });
  });

  it("takes null for an answer like any other", async () => {
    const cache = new Cache<null>({ name: "nothing", ttl: 60_000 });
    const nothing = cached(() => Promise.resolve(null), { cache });
    for (let time = 0; time < 3; time += 1) expect(await nothing()).toBeNull();

    expect(cache.stats).toMatchObject({ hits: 2, misses: 1, loads: 1 });
  });

  it("throws what the function throws, and calls it again next time", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, { cache });
    await expect(rate("XXX")).rejects.toThrow("no such currency");
    await expect(rate.warm("XXX")).rejects.toThrow("no such currency");

    expect(asked.length).toBe(2);
  });

  it("takes for the same what its key takes for the same", async () => {
    const { asked, fetchRate, cache } = rates();
    const rate = cached(fetchRate, {
      cache,
      key: (currency, { day } = {}) => `${currency.toUpperCase()} ${day === undefined ? "" : day % 7}`,
    });
    await rate("eur", { day: 1 });
    await rate("EUR", { day: 8 });

    expect(asked).toEqual(["eur 1"]);
  });
});
