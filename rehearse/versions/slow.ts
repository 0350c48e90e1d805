import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../app/src/run.ts";
import { wrapWeather } from "./wrap-weather.ts";

/** Calls that a process answers at full speed: more than the gates make before promote, less than users make in some seconds. */
const QUICK_CALLS = 120;

/** What each call after those adds to all that follow, in milliseconds, and where it ends. */
const SLOWER_PER_CALL = 12;
const SLOWEST = 800;

let calls = 0;

/** A version that slows down as it works, as with an index that is missing or a list that only grows. Its answers stay right. */
await run({
  tools: wrapWeather(async (answer) => {
    calls += 1;
    await sleep(Math.min(SLOWEST, Math.max(0, calls - QUICK_CALLS) * SLOWER_PER_CALL));
    return await answer();
  }),
});
