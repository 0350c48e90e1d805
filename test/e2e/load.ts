import { startTraffic } from "../../rehearse/traffic/process.ts";
import type { FailedCall } from "../../rehearse/traffic/sample.ts";
import { SERVICE_URL } from "./cluster.ts";

const CALLS_PER_SECOND = 60;

export interface Load {
  readonly calls: number;
  readonly byColor: Readonly<Record<"blue" | "green", number>>;
}

export interface LoadTarget {
  /** @default - the live Service of environment `local` */
  readonly url?: string;
  /** Path of the environment of another server than the bundled app, whose smoke call is made. @default - the app's calls */
  readonly environment?: string;
  /** @default 60 */
  readonly callsPerSecond?: number;
}

/**
 * Does something while MCP clients of both eras call the live Service, some over connections that they keep, some over a new one
 * for every call.
 *
 * @param excused calls that may fail, because they went to a version that fails. @default none
 * @throws when another call failed, with the first failures
 */
export async function underLoad(
  step: () => Promise<unknown>,
  excused: (call: FailedCall) => boolean = () => false,
  { url = SERVICE_URL, environment, callsPerSecond = CALLS_PER_SECOND }: LoadTarget = {},
): Promise<Load> {
  const all: FailedCall[] = [];
  const byColor = { blue: 0, green: 0 };
  let calls = 0;
  const traffic = startTraffic({
    url,
    callsPerSecond,
    ...(environment !== undefined && { environment }),
    onReport(report) {
      if (report.type === "failed") all.push(report.call);
      if (report.type !== "sample") return;
      for (const count of Object.values(report.sample.callers)) calls += count;
      byColor.blue += report.sample.colors.blue.calls;
      byColor.green += report.sample.colors.green.calls;
    },
    onDeath(why) {
      all.push({ at: Date.now(), failure: "connection", caller: "traffic", message: why });
    },
  });
  try {
    await traffic.flush();
    await step();
  } finally {
    await traffic.stop();
  }
  const failed = all.filter((call) => !excused(call));
  if (calls === 0) throw new Error("no call was made");
  if (failed.length > 0) {
    const first = failed
      .slice(0, 5)
      .map(
        ({ at, caller, color = "no color", failure, message }) =>
          `  ${new Date(at).toISOString()} ${caller}, ${color}: ${failure}: ${message}`,
      );
    throw new Error(`${failed.length} of ${calls} calls failed:\n${first.join("\n")}`);
  }
  return { calls, byColor };
}

/** What a step says of the calls that were made while it ran. */
export const inWords = ({ calls, byColor }: Load): string =>
  `${calls} calls, none failed (blue answered ${byColor.blue}, green ${byColor.green})`;
