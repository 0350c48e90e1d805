/** Invalid settings. The message names each variable and its problem. */
export class InvalidConfig extends Error {
  override readonly name = "InvalidConfig";

  constructor(problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
  }
}
