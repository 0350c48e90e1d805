import { describe, expect, it } from "@jest/globals";
import { imageProblem } from "../../environment/image.ts";

const SHA256 = `sha256:${"1".repeat(64)}`;
const SHA512 = `sha512:${"1".repeat(128)}`;

describe("an image reference", () => {
  it.each([
    "app",
    "app:1",
    "localhost/mcp-app:1.0.0",
    "localhost:5000/app",
    "Registry.Example/team/app:V1",
    "[::1]:5000/app:1",
    "a__b/c.d/e-f--g:_1",
    `app@${SHA256}`,
    `registry.example.com/team/app:1.2.0@${SHA512}`,
  ])("may be %s", (image) => {
    expect(imageProblem(image, "any")).toBeUndefined();
  });

  it.each([
    ["Registry.Example/Team/App:1", "write 'team/app', a repository has no capital letters"],
    ["App", "write 'app'"],
    ["app:", "add a tag after ':', or remove it"],
    ["app:1:2", "it has more than one tag"],
    ["https://registry.example/app:1", "remove 'https://'"],
    ["app@sha256:12", "its digest is not complete"],
    ["app@md5:12", "a digest begins with sha256:"],
    ['${file("/etc/hostname")}', "is not an image reference"],
    ["app 1", "is not an image reference"],
    ["", "is not an image reference"],
    ["-app", "is not an image reference"],
    [`${"a".repeat(256)}:1`, "is not an image reference"],
    ["a-".repeat(100_000), "200000 characters"],
  ])("is refused as %.40s, with a hint", (image, hint) => {
    expect(imageProblem(image, "any")).toContain(hint);
  });

  it("is pinned by a digest of any accepted algorithm, and by nothing else", () => {
    expect(imageProblem(`app@${SHA512}`, "digest")).toBeUndefined();
    expect(imageProblem(`app:1@${SHA256}`, "digest")).toBeUndefined();
    expect(imageProblem("app:1", "digest")).toContain("'app:1' is not pinned");
  });
});
