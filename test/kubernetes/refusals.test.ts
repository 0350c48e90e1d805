import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { colorName, LIVE_SERVICE, RELEASE_LEASE } from "../default-names.ts";
import { TargetRefused, TargetUnreachable, TrafficMoved } from "../../release/errors.ts";
import type { Fence } from "../../release/ports/fence.ts";
import type { Authority } from "../../release/ports/records.ts";
import type { Target } from "../../release/ports/target.ts";
import type { ApiError } from "../../release/targets/kubernetes/api/api-error.ts";
import { acquire, aRecord } from "../release/contract/world.ts";
import {
  deniedByPolicy,
  exceededQuota,
  invalidValue,
  missingRight,
  tooManyRequests,
  unauthorized,
  webhookDown,
  type Failure,
  type Subject,
} from "./failures.ts";
import type { Client } from "./client.ts";
import { answeringStoreWorld, httpWorld, type AnsweringClusterWorld } from "./world.ts";

type Refusal = (subject: Subject) => Failure;

let world: AnsweringClusterWorld;
let target: Target;
let api: Client;
let authority: Authority;
let fence: Fence;

const REFUSALS: readonly [string, Refusal, TargetRefused["kind"], RegExp][] = [
  ["an admission policy that answers 422", (s) => deniedByPolicy(s), "policy", /denied request: no switch on fridays/],
  ["an admission policy that answers 403", (s) => deniedByPolicy(s, "no", 403), "policy", /denied request: no/],
  ["a value that the API does not accept", invalidValue, "invalid", /spec\.minReplicas: Invalid value: -1/],
  ["a missing right", missingRight, "forbidden", /'releaser' lacks a right: .* allows 'patch' on '\w+'/],
  ["a quota", exceededQuota, "quota", /exceeded quota: small/],
];

const OUTAGES: readonly [string, Refusal | "unreachable" | "unanswered"][] = [
  ["an API server that is down", "unreachable"],
  ["an answer that is lost", "unanswered"],
  ["a webhook that is down", webhookDown],
  ["too many requests", () => tooManyRequests(7)],
  ["credentials that have expired", unauthorized],
];

const WRITES: readonly [string, string, () => Promise<void>][] = [
  ["a move of the traffic", "move the traffic from blue to green", () => target.traffic.move("blue", "green", fence)],
  ["a hold", "hold green at 4 pods", () => target.capacity.hold("green", 4, fence)],
  ["a write of the record", "write the record", () => authority.write(aRecord())],
];

describe.each([
  ["in memory", answeringStoreWorld],
  ["over HTTP", httpWorld],
])("a cluster %s:", (_, open) => {
  beforeEach(async () => {
    world = await open();
    target = world.open();
    api = world.apiOf(target);
    authority = await acquire(target);
    ({ fence } = authority);
  });

  afterEach(async () => {
    await world.close();
  });

  describe.each(WRITES)("%s", (_, what, write) => {
    it.each(REFUSALS)("names %s, and is not repeated", async (_, does, kind, message) => {
      api.faults.add({ verb: "patch", does, times: Infinity });
      const requests = api.requests.length;
      const error = await write().catch((error: unknown) => error);

      expect(error).toBeInstanceOf(TargetRefused);
      expect(error).toMatchObject({ kind, message: expect.stringMatching(message) as unknown });
      expect(String(error)).toContain(`could not ${what}: `);
      expect(api.requests.length - requests).toBe(1);
    });

    it.each(OUTAGES)("says that nothing is known about its effect after %s", async (_, does) => {
      api.faults.add({ verb: "patch", does });
      const error = await write().catch((error: unknown) => error);

      expect(error).toBeInstanceOf(TargetUnreachable);
      expect(String(error)).toContain(`could not ${what}: `);
    });

    it("ends with the signal while the API server does not answer", async () => {
      api.faults.add({ verb: "patch", does: "hang" });
      const interrupted = new AbortController();
      const hanging = target.capacity.hold("green", 4, fence, interrupted.signal);
      interrupted.abort(new Error("interrupted"));

      await expect(hanging).rejects.toThrow("interrupted");
    });
  });

  describe("a move of the traffic", () => {
    it("tells when the API server wants to be asked again", async () => {
      api.faults.add({ verb: "patch", does: () => tooManyRequests(7) });
      const error = await target.traffic.move("blue", "green", fence).catch((error: unknown) => error as Error);

      expect((error?.cause as ApiError).retryAfterMs).toBe(7000);
    });

    it("says that the traffic has moved if its own answer was lost and it is tried again", async () => {
      api.faults.add({ verb: "patch", kind: "Service", does: "unanswered" });
      await target.traffic.move("blue", "green", fence).catch(() => undefined);

      await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(TrafficMoved);
      expect(await target.traffic.live()).toBe("green");
    });

    it("does not say that the traffic moved when it was refused for another reason", async () => {
      api.faults.add({ verb: "patch", kind: "Service", does: deniedByPolicy });

      await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow(TargetRefused);
    });

    it("says which color a Service selects that selects none of ours", async () => {
      world.store.edit({ kind: "Service", name: LIVE_SERVICE }, ({ spec }) => {
        spec.selector["mcp-bluegreen/color"] = "purple";
      });

      await expect(target.traffic.live()).rejects.toThrow("selects the color 'purple'");
      await expect(target.traffic.move("blue", "green", fence)).rejects.toThrow("selects the color 'purple'");
    });
  });

  describe("a read", () => {
    it.each<[string, () => Promise<unknown>, string]>([
      ["the live color", () => target.traffic.live(), LIVE_SERVICE],
      ["a color", () => target.capacity.color("blue"), colorName("blue")],
      ["the record", () => target.records.read(), RELEASE_LEASE],
    ])("of %s names a missing right and an outage", async (_, read, name) => {
      api.faults.add({ verb: "get", name, does: missingRight });
      await expect(read()).rejects.toThrow(/'releaser' lacks a right: .* allows 'get'/);

      api.faults.add({ verb: "get", name, does: "unreachable", times: Infinity });
      await expect(read()).rejects.toThrow(TargetUnreachable);
    });
  });

  describe("a port forward that the identity may not open", () => {
    it("is named with the missing right by every question of a gate", async () => {
      api.faults.add({ verb: "forward", does: missingRight, times: Infinity });
      const { url, fetch } = await target.probe.endpoint("green");
      const right = /open a connection to port \d+ of pod '[^']+': .* allows 'get' on 'pods\/portforward'/;

      for (const question of [
        () => target.probe.health?.("green"),
        () => target.measurements?.calls("green"),
        () => fetch(url, { method: "POST", body: "{}" }),
      ]) {
        const error = await question()?.catch((error: unknown) => error);
        expect(error).toBeInstanceOf(TargetRefused);
        expect(error).toMatchObject({ kind: "forbidden", message: expect.stringMatching(right) as unknown });
      }
    });

    it("is an outage if the pod is gone", async () => {
      const { url, fetch } = await target.probe.endpoint("green");
      await world.stopPods("green");

      await expect(fetch(url, { method: "POST", body: "{}" })).rejects.toThrow(TargetUnreachable);
    });
  });

  describe("an announcement", () => {
    it("is an Event of the live Service, with the phase as its reason", async () => {
      await target.announce?.("promote", "1.2.0: blue → green");
      const [event] = world.store.list("Event");

      expect(event).toMatchObject({
        reason: "Promote",
        message: "1.2.0: blue → green",
        involvedObject: { kind: "Service", name: LIVE_SERVICE, uid: expect.any(String) as unknown },
      });
    });

    it("never fails a release", async () => {
      api.faults.add({ does: missingRight, times: Infinity });

      await expect(target.announce?.("promote", "")).resolves.toBeUndefined();
    });
  });
});
