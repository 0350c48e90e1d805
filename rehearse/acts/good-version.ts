import { VERSIONS } from "../versions/bundles.ts";
import type { Act } from "./act.ts";
import { differences } from "./expected-release.ts";

export const goodVersion: Act = {
  number: 1,
  title: "A good version",
  story:
    "1.1.0 is staged on green, passes every gate and takes over. No call fails, and the last ones of blue are finished by blue.",
  about: "release",
  async play(stage) {
    await stage.linger(stage.quick ? 1 : 4);
    const release = await stage.release("good");
    await stage.linger(stage.quick ? 0.5 : 3);
    return {
      release,
      outcome: release.result === "released" ? "promoted" : release.result,
      problems: differences(release, { exitCode: 0, result: "released" }),
    };
  },
  check: ({ byVersion }) =>
    [VERSIONS.first.version, VERSIONS.good.version]
      .filter((version) => byVersion[version] === undefined)
      .map((version) => `version ${version} had to answer calls in this act, and answered none`),
};
