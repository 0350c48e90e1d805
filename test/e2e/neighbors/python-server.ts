import assert from "node:assert/strict";
import { buildImage } from "../images.ts";
import { underLoad } from "../load.ts";
import type { Step } from "../step.ts";
import { missingProvider } from "../terraform.ts";
import { Sessions } from "./sessions.ts";
import { deployedStacks, inProject, releaseIn, type StacksOptions } from "./stacks.ts";
import { PROJECT } from "../command.ts";

/** What the Ingress controller serves the environment at. */
const url = (): string => {
  const port = new URL(process.env.E2E_INGRESS_URL ?? "").port;
  return `http://lengths.localhost:${port}/mcp`;
};

const stacksOf = (file: string): StacksOptions => ({
  folder: PROJECT,
  environment: inProject(`test/e2e/neighbors/${file}`),
  prefix: "lengths-lengths",
});

const STATELESS = stacksOf("python-environment.ts");
const WITH_SESSIONS = stacksOf("python-sessions-environment.ts");

const imageOf = (version: string) => `localhost/lengths:${version}`;
const CANDIDATE = ["--image", imageOf("1.1.0"), "--version", "1.1.0"];

/** Each call is a session of several requests, and one node runs the clients, the Ingress controller and Python. */
const CALLS_PER_SECOND = 8;

const NEEDS = ["E2E_NEIGHBORS", "E2E_PYTHON_IMAGE", "E2E_INGRESS_URL"];

/** A synth of another environment replaces the stacks of `local`, with the locks of their providers. */
const restoreLocal = {
  [Symbol.asyncDispose]: async () => {
    await missingProvider();
  },
};

const stateless: Step = {
  name: "a Python server behind an Ingress, with connections that clients keep, is released with no failed call",
  needs: NEEDS,
  async run() {
    for (const version of ["1.0.0", "1.1.0"]) {
      const buildArgs = ["--network", "host", "--build-arg", `BASE=${process.env.E2E_PYTHON_IMAGE ?? ""}`];
      await buildImage(imageOf(version), { folder: inProject("examples/fastmcp"), buildArgs });
    }
    await using made = new AsyncDisposableStack();
    made.use(restoreLocal);
    made.use(await deployedStacks(STATELESS));
    await answers();
    const { environment } = STATELESS;
    const { calls } = await underLoad(
      () => releaseIn(STATELESS, "run", ...CANDIDATE),
      () => false,
      { url: url(), environment, callsPerSecond: CALLS_PER_SECOND },
    );
    return `${calls} calls, none failed`;
  },
};

const withSessions: Step = {
  name: "with sessions in memory, a switch ends each of them once, and a new one works",
  needs: NEEDS,
  async run() {
    await using made = new AsyncDisposableStack();
    made.use(restoreLocal);
    made.use(await deployedStacks(WITH_SESSIONS));
    await answers();
    await using sessions = await Sessions.open(url(), 5);
    await releaseIn(WITH_SESSIONS, "run", ...CANDIDATE);
    const { calls, ends } = await sessions.close();
    assert.deepEqual([...new Set(ends)], [1], `each session must end once, not ${ends.join(", ")} times`);
    return `${ends.length} sessions with ${calls} calls: each ended once`;
  },
};

/** Waits until the Ingress controller has learned of the Ingress. */
async function answers(): Promise<void> {
  await using sessions = await Sessions.open(url(), 1);
  await sessions.close();
}

export const PYTHON_STEPS: readonly Step[] = [stateless, withSessions];
