import { systemClock } from "../../release/system-clock.ts";
import { clockContract } from "./contract/clock.ts";
import { fastClock } from "./fast-clock.ts";
import { instantClock } from "./instant-clock.ts";
import { ManualClock } from "./manual-clock.ts";

clockContract("the clock of this machine", () => ({ clock: systemClock }));
clockContract("a fast clock", () => ({ clock: fastClock(10) }));
clockContract("an instant clock", () => ({ clock: instantClock() }));
clockContract("a clock that a test moves", () => {
  const clock = new ManualClock();
  return { clock, pass: (ms) => clock.pass(ms) };
});
