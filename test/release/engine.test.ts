import { describe, expect, it } from "@jest/globals";
import { StateChanged, TargetRefused, TargetUnreachable } from "../../release/errors.ts";
import type { ReleaseEvent } from "../../release/events.ts";
import { carryOut, RESUME, ROLLBACK, RUN, STAGE } from "./a-release.ts";
import { instantClock } from "./instant-clock.ts";
import { MemoryTarget, quickEnvironment } from "./memory-target.ts";

describe("the engine", () => {
  it("rolls back even when the target is out of reach just then for a moment", async () => {
    for (const lost of ["look", "write", "move"]) {
      const target = new MemoryTarget();
      let left = 2;
      let failed = 0;
      target.before = (call) => {
        if (call === lost && failed >= 2 && left-- > 0) throw new TargetUnreachable("away");
      };
      const bake = () => {
        failed += 1;
        return "fail" as const;
      };

      expect(await carryOut(target, RUN, { bake })).toMatchObject({ result: "rolled-back" });
      expect(target.live).toBe("blue");
    }
  });

  it("does not start, with nothing changed, while the target does not answer", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    target.before = () => {
      throw new TargetUnreachable("away");
    };

    const { result, reason } = await carryOut(target, { do: "verify" });
    expect(result).toBe("not-started");
    expect(reason).toMatch(/^away \(for \d s\)$/);
  });

  it("goes on trying through an outage before the traffic has moved too, and pauses after holdTimeoutSeconds", async () => {
    const target = new MemoryTarget();
    let failures = 3;
    target.before = (call) => {
      if (call === "hold" && failures-- > 0) throw new TargetUnreachable("away");
    };
    expect(await carryOut(target, STAGE)).toMatchObject({ result: "done" });
    expect(await carryOut(target, { do: "verify" })).toMatchObject({ result: "done" });

    target.before = (call) => {
      if (call === "move") throw new TargetUnreachable("no answer");
    };
    const { result, reason } = await carryOut(target, { do: "promote" });
    // Whether a move without an answer has happened shows at the next observation: it has not.
    expect(result).toBe("paused-old-live");
    expect(reason).toMatch(/^no answer \(for \d+ s\)$/);
  });

  it("says that the new version may be live when a move got no answer and neither did anything after it", async () => {
    const target = new MemoryTarget();
    let away = false;
    target.before = (call) => {
      away ||= call === "move";
      if (away) throw new TargetUnreachable("away");
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "paused-new-live" });
  });

  it.each(["policy", "invalid", "forbidden", "quota"] as const)(
    "pauses at once when the target refuses a move (%s)",
    async (kind) => {
      const target = new MemoryTarget();
      target.before = (call) => {
        if (call === "move") throw new TargetRefused(kind, "denied by a policy");
      };

      expect(await carryOut(target, RUN)).toEqual({ result: "paused-old-live", reason: "denied by a policy" });
      expect(target.release?.phase).toBe("promote");
      target.before = () => undefined;
      expect(await carryOut(target, RESUME)).toMatchObject({ result: "released" });
    },
  );

  it("changes nothing more once another command has taken the lease, wherever that happens", async () => {
    for (const call of ["stage", "hold", "move", "write", "look"]) {
      const target = new MemoryTarget();
      let changes = 0;
      let displaced = false;
      target.before = (now) => {
        if (displaced && ["stage", "hold", "move", "write"].includes(now)) changes += 1;
        if (now !== call || displaced || target.release?.phase === undefined) return;
        displaced = true;
        target.displace();
      };
      const result = await carryOut(target, RUN);

      expect(result).toEqual({
        result: "lease-held",
        reason: "another command has taken over this release's lease",
      });
      expect(changes).toBe(0);
    }
  });

  it("follows the traffic when its compare and swap finds that others moved it", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "move") target.live = "green";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
    expect(target).toMatchObject({ live: "green", moves: [] });
  });

  it("aborts when others staged something else on the idle color, also the same image", async () => {
    for (const change of [{ image: "other", mark: undefined }, { mark: "theirs" }]) {
      const target = new MemoryTarget();
      await carryOut(target, STAGE);
      Object.assign(target.colors.green, change);

      const { result, reason } = await carryOut(target, { do: "promote" });
      expect(result).toBe("aborted");
      expect(reason).toContain("which others staged after this release");
      expect(target.moves).toEqual([]);
    }
  });

  it("does not care that an admission webhook rewrites the image", async () => {
    const target = new MemoryTarget();
    target.before = () => {
      if (target.colors.green.image === "new") target.colors.green.image = "mirror/new";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
  });

  it("brings new pods when a release of the same image is tried again, and none when one is resumed", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    const first = target.colors.green.mark;
    await carryOut(target, RUN, { verify: () => "fail" });
    expect(target.colors.green.mark).toBe(first);
    await carryOut(target, STAGE);
    expect(target.colors.green.mark).not.toBe(first);
  });

  it("rolls back to the version from before the release and to nothing else, unless it is told to", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    target.colors.blue.image = "unknown";

    const { result, reason } = await carryOut(target, ROLLBACK);
    expect(result).toBe("usage");
    expect(reason).toBe(
      "blue no longer runs old, which was live before the release, but unknown; " +
        "to roll back to that nevertheless: release rollback --to-changed-standby",
    );
    expect(target.live).toBe("green");
    expect(await carryOut(target, { do: "rollback", toChangedStandby: true })).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });

  it("pauses a bake's rollback too when others have changed the color that it would return to", async () => {
    const target = new MemoryTarget();
    const bake = () => {
      target.colors.blue.image = "unknown";
      return "fail" as const;
    };

    expect(await carryOut(target, RUN, { bake })).toMatchObject({ result: "paused-new-live" });
    expect(target.live).toBe("green");
  });

  it("does not wait for a hold at the environment's own minimum, which no target can tell from none", async () => {
    const target = new MemoryTarget();
    target.colors.blue.ready = 1;

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
  });

  it("says that the lease is held by another one also when it learns that in a pause", async () => {
    const target = new MemoryTarget();
    const verify = () => {
      target.displace();
      return "inconclusive" as const;
    };

    expect(await carryOut(target, RUN, { verify })).toMatchObject({ result: "lease-held" });
  });

  it("has not started when others keep changing what it would take", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "write") throw new StateChanged("others changed the lease 10 times");
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "not-started" });
  });

  it("does not say that the old version is live when others gave the traffic to an aborted one", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "look" && target.release?.phase === "verify") target.live = "green";
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "paused-new-live" });
    expect(target.release).toMatchObject({ phase: "ended", outcome: "aborted" });
  });

  it("waits for as long as a target says that is overloaded", async () => {
    const target = new MemoryTarget();
    const clock = instantClock();
    let refusals = 1;
    target.before = (call) => {
      if (call === "move" && refusals-- > 0) throw new TargetUnreachable("too many requests", { retryAfterMs: 7000 });
    };

    const environment = quickEnvironment({ holdTimeoutSeconds: 60 });
    expect(await carryOut(target, RUN, { clock, environment })).toMatchObject({ result: "released" });
    expect(clock.now()).toBeGreaterThanOrEqual(7000);
  });

  it("waits between two tries of an action that has no effect", async () => {
    const target = new MemoryTarget();
    const clock = instantClock();
    let holds = 0;
    target.before = (call) => {
      if (call === "hold") holds += 1;
      if (call === "look" && target.release?.phase === "verify") target.colors.green.heldAt = undefined;
    };
    const interrupted = new AbortController();
    const listener = () => {
      if (clock.now() > 1000) interrupted.abort(new Error("enough"));
    };
    await carryOut(target, RUN, { clock, listener, signal: interrupted.signal });

    // Two colors, every 5 ms.
    expect(holds).toBeLessThanOrEqual(2 * (1000 / 5 + 2));
  });

  it("stops when it is interrupted, and says which version is live", async () => {
    const target = new MemoryTarget();
    const interrupt = new AbortController();
    const bake = () => {
      interrupt.abort(new Error("interrupted by SIGINT"));
      return "fail" as const;
    };
    const result = await carryOut(target, RUN, { bake, signal: interrupt.signal });

    const reason = "interrupted by SIGINT; go on with 'release run', or go back with 'release rollback'";
    expect(result).toEqual({ result: "paused-new-live", reason });
    expect(target.release?.phase).toBe("bake");
  });

  it("runs no gate on pods of the previous stage", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "hold") target.colors.green.rollingOut = true;
    };
    const listener = (event: ReleaseEvent) => {
      if (event.type === "progress" && event.message.endsWith("pods of the previous stage among them"))
        target.colors.green.rollingOut = false;
    };
    const verify = () => (target.colors.green.rollingOut === true ? "fail" : "pass");

    expect(await carryOut(target, STAGE)).toMatchObject({ result: "done" });
    expect(await carryOut(target, { do: "verify" }, { verify, listener })).toMatchObject({ result: "done" });
    expect(target.colors.green.rollingOut).toBe(false);
  });

  it("aborts early, with the target's reason, when pods cannot start", async () => {
    const target = new MemoryTarget();
    const what = "pod-0: ImagePullBackOff: registry.example/app:2 not found";
    target.before = (call) => {
      if (call === "hold") Object.assign(target.colors.green, { problems: [{ what, final: true }], ready: 0 });
      if (call === "color green") target.colors.green.ready = 0;
    };

    expect(await carryOut(target, RUN)).toEqual({ result: "aborted", reason: `green: 0 of 2 pods ready; ${what}` });
  });

  it("scales up first after a release has retired, and pauses the rollback if that does not succeed", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    target.colors.green.ready = 2;
    target.before = (call) => {
      if (call === "color blue") target.colors.blue.ready = 1;
    };

    expect(await carryOut(target, ROLLBACK)).toMatchObject({
      result: "paused-new-live",
      reason: "blue: 1 of 2 pods ready after 0.05 s",
    });
    expect(target.live).toBe("green");
    target.before = () => undefined;
    target.colors.blue.ready = 2;
    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("blue");
  });
});
