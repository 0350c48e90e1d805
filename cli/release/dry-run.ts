import { COLORS } from "../../environment/color.ts";
import { dryRun, type DryRun, type DryRunOptions } from "../../release/dry-run.ts";
import type { Output } from "../options.ts";

/** Prints what a command would do, and sets the exit code that it would be refused with. */
export async function showDryRun(options: DryRunOptions, output: Output): Promise<void> {
  const plan = await dryRun(options);
  process.stdout.write(output === "json" ? `${JSON.stringify(plan)}\n` : `${describe(plan)}\n`);
  if (plan.exitCode !== 0) process.stderr.write(`${plan.reason}\n`);
  process.exitCode = plan.exitCode;
}

function describe({
  command,
  environment,
  target,
  live,
  colors,
  holder,
  release,
  steps,
  pending,
  reason,
}: DryRun): string {
  const byTraffic = COLORS.toSorted((a, b) => Number(b === live) - Number(a === live));
  return table([
    ["dry run", `release ${command}; nothing is changed, and no lease is taken`],
    ["target", `environment ${environment}`],
    ...target.map((line) => ["", line] as const),
    ["lease", holder === undefined ? "free" : `held by ${holder}`],
    ...byTraffic.map((color) => {
      const { image = "nothing staged", ready, desired } = colors[color];
      return [color === live ? "live" : "idle", `${color.padEnd(5)}  ${ready}/${desired} ready  ${image}`] as const;
    }),
    ...(release === undefined
      ? []
      : [["release", `${release.version}, ${release.from} → ${release.to}, from phase ${release.phase}`] as const]),
    ...steps.flatMap(({ phase, what }) => [
      [phase, what] as const,
      ...(phase === "stage" ? pending : []).map(
        ({ setting, running, wanted }) => ["", `${setting}: ${running ?? "(unset)"} → ${wanted ?? "(unset)"}`] as const,
      ),
    ]),
    ["result", release === undefined ? "refused" : reason],
  ]);
}

const table = (rows: readonly (readonly [title: string, text: string])[]): string =>
  rows.map(([title, text]) => `${title.padEnd(8)} ${text}`).join("\n");
