import type { Color } from "../../environment/color.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Gate, Verdict } from "./gate.ts";

/**
 * Passes if every pod reports the staged version, and the color that it was staged on if it reports one. Of a server without
 * a page for it, the color's image is compared with the one that the target accepted at the stage.
 */
export const version: Gate = {
  name: "version",
  phases: ["verify"],
  async check({ target, snapshot, color, version, signal }) {
    if (target.probe.versions === undefined) return byImage(snapshot, color);
    const { pods: reports, unread } = await target.probe.versions(color, signal);
    if (reports.length === 0) {
      return { outcome: "inconclusive", evidence: `no pod of ${color} is ready; the report of one decides` };
    }
    const others = reports.filter((report) => report.version !== version || (report.color ?? color) !== color);
    if (others.length === 0 && unread.length > 0) return { outcome: "inconclusive", evidence: unread.join("; ") };
    return others.length === 0
      ? { outcome: "pass", evidence: `${reports.length} pods run ${version}` }
      : {
          outcome: "fail",
          evidence: others
            .map((pod) => `${pod.pod} runs ${pod.version} as ${pod.color ?? color}, not ${version}`)
            .join(", "),
        };
  },
};

/** Whether its pods are of that stage is what the gate 'rollout' checks. */
function byImage({ release, colors }: Snapshot, color: Color): Verdict {
  const { image = "no image" } = colors[color];
  const why = "the server has no page that names its version (server.version)";
  const accepted = release?.to === color ? release.accepted : undefined;
  if (accepted === undefined) {
    return { outcome: "inconclusive", evidence: `${why}, and the image of the stage was not recorded` };
  }
  return image === accepted
    ? { outcome: "pass", evidence: `${color} runs ${image}; ${why}` }
    : { outcome: "fail", evidence: `${color} runs ${image}, not ${accepted}; ${why}` };
}
