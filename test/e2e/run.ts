import { namespaceExists, reachable } from "./cluster.ts";
import { removeRedis } from "./redis.ts";
import { STEPS } from "./steps.ts";
import { destroy, missingProvider } from "./terraform.ts";

export interface RunOptions {
  /** Leave everything deployed when a step fails. */
  readonly keep: boolean;
  /** Run only steps whose names contain this, between deploy and destroy. @default - all */
  readonly only?: string;
}

/**
 * Runs the steps, one after the other, until one fails.
 *
 * @returns the exit code
 */
export async function runSteps({ keep, only }: RunOptions): Promise<number> {
  const steps =
    only === undefined ? STEPS : STEPS.filter(({ name, isFrame }) => isFrame === true || name.includes(only));
  if (steps.every(({ isFrame }) => isFrame)) return refuse(`no step's name contains '${only ?? ""}'`);
  if (!(await reachable())) return refuse("no cluster answers; set KUBECONFIG to one that kubectl can reach");
  if (await namespaceExists()) {
    return refuse(
      "environment 'local' is deployed on this cluster already; remove it first: npx cdktf destroy 'local-*'",
    );
  }
  const missing = await missingProvider();
  if (missing !== undefined) {
    say(`skipped: Terraform cannot get its kubernetes provider here (${missing.trim()}).`);
    say("To run it: let terraform reach its registry, or put the provider into ~/.terraform.d/plugins.");
    return summary(0, 0, steps.length);
  }

  let skipped = 0;
  let passed = 0;
  for (const [index, { name, needs = [], run }] of steps.entries()) {
    const start = performance.now();
    const lacking = needs.filter((variable) => process.env[variable] === undefined);
    if (lacking.length > 0) {
      say(`          skip  ${name}\n                set ${lacking.join(" and ")} to run it: see --help`);
      skipped += 1;
      continue;
    }
    try {
      const seen = await run();
      say(`${seconds(start)}  ok    ${name}\n                ${seen}`);
      passed += 1;
    } catch (error) {
      say(`${seconds(start)}  FAIL  ${name}\n${error instanceof Error ? error.message : String(error)}`);
      if (!keep)
        await Promise.all([destroy(), removeRedis()]).catch((error: unknown) => {
          say(`could not clean up: ${String(error)}`);
        });
      return summary(passed, 1, skipped + steps.length - index - 1);
    }
  }
  return summary(passed, 0, skipped);
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 2;
}

function summary(passed: number, failed: number, skipped: number): number {
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`.padStart(8);
}
