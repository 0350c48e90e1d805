import { describe, expect, it } from "@jest/globals";
import { TargetUnreachable, UsageError } from "../../release/errors.ts";
import { carryOut, RESUME, ROLLBACK, RUN } from "./a-release.ts";
import { MemoryTarget, quickEnvironment } from "./memory-target.ts";

describe("a release whose Service or record others deleted or damaged", () => {
  it("goes on when it is there again", async () => {
    const target = new MemoryTarget();
    let failures = 3;
    target.before = (call) => {
      if (call === "look" && target.release?.phase === "bake" && failures-- > 0) throw new UsageError("no Service");
    };

    expect(await carryOut(target, RUN)).toMatchObject({ result: "released" });
  });

  it("pauses with the new version live, and does not call it a mistake of the user", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "look" && target.release?.phase === "bake") throw new UsageError("no Service");
    };

    const { result, reason } = await carryOut(target, RUN);
    expect({ result, live: target.live }).toEqual({ result: "paused-new-live", live: "green" });
    expect(reason).toMatch(/^no Service \(for \d+ s\)$/);
  });
});

describe("the way back to the version before", () => {
  const THIRD = { do: "run", candidate: { image: "third", version: "3" } } as const;

  it("remains when a later release ends before it has changed the idle color", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    target.before = (call) => {
      if (call === "stage") throw new UsageError("deploy first");
    };
    expect(await carryOut(target, THIRD)).toMatchObject({ result: "usage" });
    target.before = () => undefined;
    // The first one gives up the third version, the second one goes back from 2 to 1.
    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });
    expect(target.live).toBe("green");
    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "done" });

    expect(target.colors[target.live]).toMatchObject({ image: "old" });
  });

  it("is gone once a later release has changed the idle color", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN);
    await carryOut(target, THIRD, { verify: () => "fail" });

    expect(await carryOut(target, ROLLBACK)).toMatchObject({ result: "usage" });
    expect(target.live).toBe("green");
  });

  it("is not taken to an image that others set on the old color, which keeps the mark", async () => {
    const target = new MemoryTarget();
    await carryOut(target, { do: "stage", candidate: { image: "new", version: "2" } });
    await carryOut(target, { do: "promote" });
    target.colors.blue.image = "set by others";

    const { result, reason } = await carryOut(target, ROLLBACK);
    expect({ result, live: target.live }).toEqual({ result: "usage", live: "green" });
    expect(reason).toContain("set by others");
  });
});

describe("a version whose image others set after the gates had passed", () => {
  it("gets no traffic, although it kept the mark", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "write" && target.release?.phase === "verify") target.colors.green.image = "set by others";
    };

    const { result, reason } = await carryOut(target, RUN);
    expect({ result, moves: target.moves }).toEqual({ result: "aborted", moves: [] });
    expect(reason).toContain("set by others");
  });
});

describe("a command that starts in a short outage", () => {
  it.each([
    ["resumes a bake", RESUME, "green"],
    ["rolls back", ROLLBACK, "blue"],
  ] as const)("%s", async (_, command, live) => {
    for (const call of ["look", "write"]) {
      const target = new MemoryTarget();
      await carryOut(target, { do: "stage", candidate: { image: "new", version: "2" } });
      await carryOut(target, { do: "promote" });
      let failures = 2;
      target.before = (now) => {
        if (now === call && failures-- > 0) throw new TargetUnreachable("away");
      };
      const { result } = await carryOut(target, command);

      expect(result).toBe(command === RESUME ? "released" : "done");
      expect(target.live).toBe(live);
    }
  });

  it("is not called 'not started' when its first write may have arrived", async () => {
    const target = new MemoryTarget();
    target.before = (call) => {
      if (call === "write") throw new TargetUnreachable("no answer");
    };

    const environment = quickEnvironment({ holdTimeoutSeconds: 0.001 });
    expect(await carryOut(target, RUN, { environment })).toMatchObject({ result: "paused-old-live" });
  });
});
