import type { Verdict } from "./referee.ts";

export interface Report {
  readonly text: string;
  /** Whether everything went as expected, failures included. */
  readonly ok: boolean;
}

/**
 * One table: how many scenarios passed, and a line for each that did not, or not without a remark.
 *
 * @param expected scenarios that are to fail, each with the reason; one that passes is as unexpected as a failure of another
 */
export function report(
  title: string,
  verdicts: readonly Verdict[],
  expected: Readonly<Record<string, string>>,
): Report {
  const required = verdicts.filter((verdict) => verdict.required);
  const passed = required.filter((verdict) => verdict.passed);
  const isExpected = ({ scenario }: Verdict) => scenario in expected;
  const unexpected = required.filter((verdict) => verdict.passed === isExpected(verdict));

  const lines = [`${title}: ${passed.length} of ${required.length} scenarios passed`];
  for (const verdict of required) {
    const { scenario, failures, warnings } = verdict;
    if (!verdict.passed) {
      lines.push(row(isExpected(verdict) ? "expected to fail" : "FAILED", scenario, expected[scenario] ?? ""));
      lines.push(...failures.map((failure) => row("", "", `referee: ${failure}`)));
    } else if (isExpected(verdict)) {
      lines.push(row("PASSED", scenario, "but is listed as expected to fail: take it off the list"));
    }
    lines.push(...warnings.map((warning) => row("warning", scenario, warning)));
  }
  const beyond = verdicts.filter((verdict) => !verdict.required && verdict.passed && verdict.checks > 0);
  if (beyond.length > 0) lines.push(row("beyond", "", `passed, not required: ${names(beyond)}`));
  return { text: `${lines.join("\n")}\n`, ok: unexpected.length === 0 };
}

const row = (outcome: string, scenario: string, remark: string) =>
  `  ${outcome.padEnd(17)} ${scenario === "" ? "" : scenario.padEnd(30)} ${remark}`.trimEnd();

const names = (verdicts: readonly Verdict[]) => verdicts.map(({ scenario }) => scenario).join(", ");
