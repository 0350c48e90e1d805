import { describe, expect, it } from "@jest/globals";
import { commandsOn, NEW } from "./commands-on.ts";
import { Killed, MemoryTarget } from "./memory-target.ts";

describe("the commands", () => {
  it("each take a release one phase further, and say what comes next", async () => {
    const target = new MemoryTarget();
    const commands = commandsOn(target);
    const said: string[] = [];
    for (const go of [() => commands.stage(NEW), () => commands.verify(), () => commands.promote()]) {
      said.push((await go()).reason);
    }
    for (const go of [() => commands.bake(), () => commands.retire()]) said.push((await go()).reason);

    expect(said).toEqual([
      "2 is staged on green; next: release verify",
      "2 on green passed its gates; next: release promote",
      "green holds the traffic with 2, blue stands ready; next: release bake",
      "2 passed its bake; next: release retire, which lets blue shrink",
      "2 is live on green",
    ]);
  });

  it("ask the gates again when a release is gone on with, since what they said has grown old", async () => {
    const target = new MemoryTarget();
    await commandsOn(target).stage(NEW);
    await commandsOn(target).verify();

    expect(await commandsOn(target, { verify: () => "fail" }).run(undefined)).toMatchObject({ result: "refused" });
    expect(target.moves).toEqual([]);
  });

  it("go on baking after a promote that was killed between its move and its record", async () => {
    const target = new MemoryTarget();
    await commandsOn(target).stage(NEW);
    target.before = (call) => {
      if (call === "record" && target.live === "green") throw new Killed();
    };
    await expect(commandsOn(target).promote()).rejects.toThrow(Killed);
    target.before = () => undefined;

    await expect(commandsOn(target).promote()).rejects.toThrow("go on with 'release bake'");
    expect(await commandsOn(target).bake()).toMatchObject({ result: "done" });
  });

  it("say what to do instead when they cannot be asked for", async () => {
    const target = new MemoryTarget();
    const commands = commandsOn(target);
    await expect(commands.rollback()).rejects.toThrow("nothing was released here, so there is nothing to roll back");
    for (const go of [() => commands.verify(), () => commands.promote()]) {
      await expect(go()).rejects.toThrow("nothing is staged: begin with 'release stage'");
    }
    for (const go of [() => commands.bake(), () => commands.retire(), () => commands.run(undefined)]) {
      await expect(go()).rejects.toThrow("nothing is under way: begin with 'release stage' or 'release run'");
    }
    await commands.stage(NEW);
    await expect(commands.bake()).rejects.toThrow("nothing bakes: the release is in phase 'verify'");
    await commands.promote();
    await expect(commands.stage(NEW)).rejects.toThrow("finish it with 'release run'");
    await commands.rollback();
    await expect(commands.rollback()).rejects.toThrow("'blue' already holds the traffic");
    expect(target.harms).toEqual([]);
  });
});
