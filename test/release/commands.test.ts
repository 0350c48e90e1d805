import { describe, expect, it } from "@jest/globals";
import { carryOut, RESUME, ROLLBACK, RUN, STAGE } from "./a-release.ts";
import type { Command } from "../../release/run-release.ts";
import { Killed, MemoryTarget } from "./memory-target.ts";

describe("the commands", () => {
  it("each take a release one phase further, and say what comes next", async () => {
    const target = new MemoryTarget();
    const reasons: string[] = [];
    for (const command of [STAGE, { do: "verify" }, { do: "promote" }, { do: "bake" }, { do: "retire" }] as const) {
      reasons.push((await carryOut(target, command)).reason);
    }

    expect(reasons).toEqual([
      "2 is staged on green; next: release verify",
      "2 on green passed its gates; next: release promote",
      "green is live with 2, blue is ready for a rollback; next: release bake",
      "2 passed its bake; next: release retire, which lets blue scale down",
      "2 is live on green",
    ]);
  });

  it("run the gates again when a release is resumed, because earlier results age", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    await carryOut(target, { do: "verify" });

    expect(await carryOut(target, RESUME, { verify: () => "fail" })).toMatchObject({ result: "aborted" });
    expect(target.moves).toEqual([]);
  });

  it("go on with the bake after a promote that was killed between its move and its record", async () => {
    const target = new MemoryTarget();
    await carryOut(target, STAGE);
    target.before = (call) => {
      if (call === "write" && target.live === "green") throw new Killed();
    };
    await expect(carryOut(target, { do: "promote" })).rejects.toThrow(Killed);
    target.before = () => undefined;

    expect((await carryOut(target, { do: "promote" })).reason).toContain("go on with 'release bake'");
    expect(await carryOut(target, { do: "bake" })).toMatchObject({ result: "done" });
  });

  it("say what to do instead when they are not possible", async () => {
    const target = new MemoryTarget();
    const usage = async (command: Command, reason: string) => {
      const said = await carryOut(target, command);
      expect(said).toMatchObject({ result: "usage", reason: expect.stringContaining(reason) });
    };
    await usage(ROLLBACK, "there was no release here, so there is nothing to roll back");
    await usage({ do: "verify" }, "nothing is staged: begin with 'release stage'");
    await usage({ do: "promote" }, "nothing is staged: begin with 'release stage'");
    for (const command of [{ do: "bake" }, { do: "retire" }, RESUME] as const) {
      await usage(command, "no release is in progress: begin with 'release stage' or 'release run'");
    }
    await carryOut(target, STAGE);
    await usage({ do: "bake" }, "no version is in its bake: the release is in phase 'verify'");
    await carryOut(target, { do: "promote" });
    await usage(STAGE, "finish it with 'release run'");
    await carryOut(target, ROLLBACK);
    await usage(ROLLBACK, "'blue' is live, as before the last release");
    expect(target.harms).toEqual([]);
  });

  it("keep every release that has ended in the history, with its end", async () => {
    const target = new MemoryTarget();
    await carryOut(target, RUN, { verify: () => "fail" });
    await carryOut(target, RUN);

    const history = await target.records.history();
    expect(history.map(({ outcome }) => outcome)).toEqual(["released", "aborted"]);
    expect(history.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
  });
});
