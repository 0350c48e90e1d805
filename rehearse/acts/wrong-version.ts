import { VERSIONS } from "../versions/bundles.ts";
import type { Act } from "./act.ts";
import { differences } from "./expected-release.ts";

export const wrongVersion: Act = {
  number: 2,
  title: "A wrong version",
  story:
    "1.2.0 starts, is ready and calls itself healthy, but gives degrees Fahrenheit for Celsius. A real client asks it before any user does.",
  about: "release",
  async play(stage) {
    const release = await stage.release("wrong");
    await stage.linger(stage.quick ? 0.5 : 4);
    return {
      release,
      outcome: release.result === "aborted" ? "aborted by a gate" : release.result,
      problems: differences(release, {
        exitCode: 1,
        result: "aborted",
        failing: { gate: "smoke", phase: "verify" },
      }),
    };
  },
  check: ({ byVersion }) =>
    Object.entries(byVersion)
      .filter(([version]) => version !== VERSIONS.good.version)
      .map(
        ([version, calls]) =>
          `live traffic had to stay on ${VERSIONS.good.version}, but ${version} answered ${calls} calls`,
      ),
};
