import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const PACKAGE = "@modelcontextprotocol/conformance";

/** Milliseconds for one scenario; the longest takes three seconds. */
const SCENARIO_TIMEOUT = 10_000;

export type Revision = "2025-11-25" | "2026-07-28";

/** What the referee found in one scenario. Like its own count, this one takes a warning (a SHOULD that was not met) for a pass. */
export interface Verdict {
  readonly scenario: string;
  /** Whether the revision requires it; the referee runs others too. */
  readonly required: boolean;
  readonly passed: boolean;
  readonly checks: number;
  /** The referee's own words. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

const checkSchema = z.object({
  id: z.string(),
  status: z.string(),
  errorMessage: z.string().optional(),
  details: z.object({ message: z.string().optional() }).nullish(),
});

/**
 * Lets the official referee judge the server at an address by what a revision of the specification requires.
 *
 * @throws when the referee did not come to a verdict
 */
export async function judge(url: string, revision: Revision): Promise<readonly Verdict[]> {
  const required = await requiredScenarios(revision);
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const output = await runReferee(url, revision, folder);
    const others: Verdict[] = [];
    const found = new Map<string, Verdict>();
    for (const name of await readdir(folder)) {
      const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T/.exec(name)?.[1] ?? name;
      const verdict = await readVerdict(join(folder, name), scenario, required.includes(scenario));
      if (verdict.required) found.set(scenario, verdict);
      else others.push(verdict);
    }
    if (found.size === 0) throw new Error(`the referee came to no verdict:\n${output}`);
    return [...required.map((scenario) => found.get(scenario) ?? notRun(scenario)), ...others];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What several rounds come to: a scenario has passed if it did in each of them. */
export function worstOf(rounds: readonly (readonly Verdict[])[]): readonly Verdict[] {
  const scenarios = Map.groupBy(rounds.flat(), ({ scenario }) => scenario);
  const all = (verdicts: readonly Verdict[], what: "failures" | "warnings") => [
    ...new Set(verdicts.flatMap((verdict) => verdict[what])),
  ];
  return [...scenarios].map(([scenario, verdicts]) => ({
    scenario,
    required: verdicts.some(({ required }) => required),
    passed: verdicts.every(({ passed }) => passed),
    checks: Math.min(...verdicts.map(({ checks }) => checks)),
    failures: all(verdicts, "failures"),
    warnings: all(verdicts, "warnings"),
  }));
}

async function requiredScenarios(revision: Revision): Promise<readonly string[]> {
  const lists = await readFile(fileURLToPath(import.meta.resolve(`${PACKAGE}/requirements/${revision}.yaml`)), "utf8");
  // Plain lists, frozen with their revision: no need for a YAML parser.
  const server = /^server:\n((?: {2}- .+\n)+)/m.exec(lists)?.[1];
  if (server === undefined) throw new Error(`${PACKAGE} lists no server scenarios for ${revision}`);
  return server
    .trim()
    .split("\n")
    .map((line) => line.trim().slice("- ".length));
}

async function runReferee(url: string, revision: Revision, folder: string): Promise<string> {
  const referee = spawn(
    process.execPath,
    [
      fileURLToPath(import.meta.resolve(`${PACKAGE}/dist/index.js`)),
      ...["server", "--url", url, "--requirements", revision],
      ...["--timeout", String(SCENARIO_TIMEOUT), "--output-dir", folder],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  // Its exit code is not read: it is 1 for failures that are expected, too.
  const [stdout, stderr] = await Promise.all([text(referee.stdout), text(referee.stderr), once(referee, "close")]);
  return stderr === "" ? stdout : stderr;
}

async function readVerdict(folder: string, scenario: string, required: boolean): Promise<Verdict> {
  const checks = z.array(checkSchema).parse(JSON.parse(await readFile(join(folder, "checks.json"), "utf8")));
  const saying = (status: string) =>
    checks
      .filter((check) => check.status === status)
      .map(({ id, errorMessage, details }) => errorMessage ?? details?.message ?? id);
  const failures = saying("FAILURE");
  return {
    scenario,
    required,
    passed: failures.length === 0,
    checks: saying("SUCCESS").length,
    failures,
    warnings: saying("WARNING"),
  };
}

function notRun(scenario: string): Verdict {
  return { scenario, required: true, passed: false, checks: 0, failures: ["was not run"], warnings: [] };
}
