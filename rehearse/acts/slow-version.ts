import type { Act } from "./act.ts";
import { differences } from "./expected-release.ts";

export const slowVersion: Act = {
  number: 3,
  title: "A slow version",
  story:
    "1.3.0 answers right and passes every gate, then slows down under live traffic. The bake sees its p95 and moves traffic back by itself.",
  about: "release",
  async play(stage) {
    const release = await stage.release("slow");
    await stage.linger(stage.quick ? 1 : 4);
    return {
      release,
      outcome: release.result === "rolled-back" ? "rolled back in bake" : release.result,
      problems: differences(release, {
        exitCode: 3,
        result: "rolled-back",
        failing: { gate: "calls", phase: "bake" },
      }),
    };
  },
};
