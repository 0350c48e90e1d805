import assert from "node:assert/strict";
import local from "./on-node-port.ts";
import { other, type Color } from "../../environment/color.ts";
import { openKubernetesTarget } from "../../release/targets/kubernetes/open.ts";
import { TrafficMoved } from "../../release/errors.ts";
import { apiPatterns } from "./api-patterns.ts";
import { allReady, liveColor, namespaceExists, podIdentities, replacePods, serviceAnswers } from "./cluster.ts";
import { buildAndLoad, imageOf } from "./images.ts";
import { inWords, underLoad } from "./load.ts";
import { REDIS_STEPS } from "./redis-steps.ts";
import { killedIn, release, status } from "./release.ts";
import { callService } from "./session.ts";
import { FAULT_STEPS } from "./faults/index.ts";
import { NEIGHBOR_STEPS } from "./neighbors/index.ts";
import { POD_STEPS } from "./pods/index.ts";
import type { Step } from "./step.ts";
import { deploy, destroy, plan, requestStateKey, statesWith, type Change, type Stack } from "./terraform.ts";

const CHANGED = "test/e2e/changed-environment.ts";

const NOTHING: Record<Stack, Change[]> = {
  "local-platform": [],
  "local-blue": [],
  "local-green": [],
  "local-traffic": [],
};

/** The life of a deployment, in the order in which a user meets it; each step builds on the one before. */
export const STEPS: readonly Step[] = [
  {
    name: "two versions of the image are built and loaded",
    isFrame: true,
    async run() {
      await buildAndLoad("1.0.0");
      await buildAndLoad("1.1.0");
      return [imageOf("1.0.0"), imageOf("1.1.0")].join(", ");
    },
  },
  {
    name: "cdktf deploy creates every stack, and all pods become ready",
    isFrame: true,
    async run() {
      await deploy("all");
      await allReady();
      await serviceAnswers();
      return `${(await podIdentities()).length} pods, ${await liveColor()} is live`;
    },
  },
  { name: "the official client calls the server through its Service, in both eras", run: callService },
  apiPatterns,
  {
    name: "a second deploy plans nothing",
    async run() {
      assert.deepEqual(await plan(), NOTHING);
      await deploy("all");
      return "no change in any stack";
    },
  },
  {
    name: "the request-state key is in no state and no plan",
    async run() {
      assert.deepEqual(await statesWith(requestStateKey), []);
      return "not found";
    },
  },
  {
    name: "staging a version on the idle color plans a change of that color's stack alone",
    async run() {
      const changes = await plan({ STAGE: `green=${imageOf("1.1.0")}` });
      const { "local-green": green, ...others } = changes;
      const [guard, live, deployment, ...more] = green.toSorted().toReversed();
      assert.equal(guard, "update terraform_data.stage");
      assert.match(deployment ?? "", /^read data\.kubernetes_service_v1\.|^update kubernetes_deployment_v1\./);
      assert.match(live ?? "", /^read data\.kubernetes_service_v1\.|^update kubernetes_deployment_v1\./);
      assert.deepEqual(more, []);
      assert.deepEqual(Object.values(others).flat(), []);
      return green.join();
    },
  },
  {
    name: "release stage puts it there and leaves the live color's pods alone",
    async run() {
      const before = await podIdentities("blue");
      await release("stage", "--image", imageOf("1.1.0"), "--version", "1.1.0");
      assert.deepEqual(await podIdentities("blue"), before);
      return `green runs ${imageOf("1.1.0")}`;
    },
  },
  {
    name: "release verify asks the gates over the Kubernetes API, and all pass",
    async run() {
      const events = await release("verify");
      return events.flatMap((event) => (event.type === "gate" ? [`${event.gate} ${event.outcome}`] : [])).join(", ");
    },
  },
  {
    name: "a changed setting leaves every pod alone, and release status names the pending change",
    async run() {
      const before = await podIdentities();
      await deploy("all", { ENVIRONMENT: CHANGED });
      assert.deepEqual(await podIdentities(), before);
      const { pending } = await status(CHANGED);
      assert.deepEqual(pending, [{ setting: "env.LOG_LEVEL", running: "info", wanted: "debug" }]);
      await deploy("all");
      return pending.map(({ setting, running, wanted }) => `${setting}: ${running} → ${wanted}`).join();
    },
  },
  {
    name: "a deploy that names the color changes one resource in place and moves the traffic, with no failed call",
    async run() {
      const { "local-traffic": traffic, ...others } = await plan({ ACTIVATE: "green" });
      assert.equal(traffic.length, 1, `expected one change, got ${traffic.join(", ")}`);
      assert.match(traffic[0] ?? "", /^update kubernetes_service_v1\./);
      assert.deepEqual(Object.values(others).flat(), []);
      return inWords(await underLoad(() => deploy(["local-traffic"], { ACTIVATE: "green" })));
    },
  },
  {
    name: "the release follows the traffic, bakes under it and retires",
    async run() {
      assert.equal(await liveColor(), "green");
      return inWords(await underLoad(() => release("run")));
    },
  },
  {
    name: "release rollback moves the traffic back by compare and swap, with no failed call",
    async run() {
      const load = await underLoad(() => release("rollback"));
      assert.equal(await liveColor(), "blue");
      return inWords(load);
    },
  },
  {
    name: "a compare and swap from a color that is not live is refused and changes nothing",
    async run() {
      await assert.rejects(moveTraffic("green", "blue"), TrafficMoved);
      assert.equal(await liveColor(), "blue");
      return "refused";
    },
  },
  {
    name: "a release that is killed in its bake is taken over and rolled back at once, with no failed call",
    async run() {
      const load = await underLoad(async () => {
        await killedIn("bake", "--image", imageOf("1.1.0"), "--version", "1.1.0");
        assert.equal(await liveColor(), "green");
        await release("rollback", "--take-over");
      });
      assert.equal(await liveColor(), "blue");
      return inWords(load);
    },
  },
  {
    name: "a bare deploy afterwards plans no change in any stack",
    async run() {
      assert.deepEqual(await plan(), NOTHING);
      await deploy("all");
      assert.equal(await liveColor(), "blue");
      return "no change in any stack";
    },
  },
  ...FAULT_STEPS,
  ...REDIS_STEPS,
  {
    name: "after a switch the old color's pods are replaced, and calls on kept connections survive it",
    async run() {
      const live = await liveColor();
      const load = await underLoad(async () => {
        await moveTraffic(live, other(live));
        await replacePods(live);
      });
      assert.ok(load.byColor.blue > 0 && load.byColor.green > 0, "both colors must have answered");
      return inWords(load);
    },
  },
  ...POD_STEPS,
  ...NEIGHBOR_STEPS,
  {
    name: "cdktf destroy leaves nothing behind",
    isFrame: true,
    async run() {
      await destroy();
      assert.equal(await namespaceExists(), false);
      return "the namespace is gone";
    },
  },
];

async function moveTraffic(from: Color, to: Color): Promise<void> {
  const target = openKubernetesTarget("test/e2e/on-node-port.ts", local);
  const { signal } = new AbortController();
  const authority = await target.records.acquire({ holder: "e2e", takeOver: true, signal, waiting: () => undefined });
  try {
    await target.traffic.move(from, to, authority.fence);
  } finally {
    await authority.release();
    await target.close();
  }
}
