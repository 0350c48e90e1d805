/** Settings that do not hold. The message names each variable and what is wrong with it. */
export class InvalidConfig extends Error {
  override readonly name = "InvalidConfig";

  constructor(problems: readonly string[]) {
    super(`the configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
  }
}
