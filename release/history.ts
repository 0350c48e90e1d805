import type { ReleaseRecord } from "./record.ts";

/** Prints ended releases, newest first: a line each, or one JSON object a line. */
export function writeHistory(releases: readonly ReleaseRecord[], json: boolean): void {
  const lines = json ? releases.map((release) => JSON.stringify(release)) : releases.map(describe);
  const none = json ? [] : ["no release has ended here yet"];
  for (const line of lines.length > 0 ? lines : none) process.stdout.write(`${line}\n`);
}

function describe({ startedAt, endedAt, version, from, to, outcome = "aborted", reason }: ReleaseRecord): string {
  const minutes = endedAt === undefined ? "" : ` in ${duration(startedAt, endedAt)}`;
  const why = reason === undefined ? "" : `: ${reason}`;
  return `${startedAt.slice(0, 19).replace("T", " ")} UTC  ${outcome.padEnd(11)}  ${version}, ${from} → ${to}${minutes}${why}`;
}

function duration(from: string, to: string): string {
  const seconds = Math.round((Date.parse(to) - Date.parse(from)) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
