import { hostname, userInfo } from "node:os";
import { expect, it } from "@jest/globals";
import { whoAmI } from "../../release/holder.ts";

it("the holder of a lease is the user of this process", () => {
  expect(whoAmI()).toBe(`${userInfo().username}@${hostname()} (process ${process.pid})`);
});

it("the holder of a lease is a uid where that has no name, as in a container of OpenShift", () => {
  const unknown = () => {
    throw new Error("A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)");
  };

  expect(whoAmI(unknown)).toBe(`uid ${process.getuid?.()}@${hostname()} (process ${process.pid})`);
});
