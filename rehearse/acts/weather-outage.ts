import type { Act } from "./act.ts";

/** How many calls a full rehearsal makes at least; the last act goes on until then. */
export const LEAST_CALLS = 20_000;

export const weatherOutage: Act = {
  number: 4,
  title: "An outage",
  story:
    "Errors and closed sockets from the API that every answer needs. The breakers open, callers get the last good answer and are told so, until it recovers.",
  about: "dependency",
  async play(stage) {
    const problems: string[] = [];
    const { quick } = stage;
    // Until kept connections have left the version that was rolled back: its pods have not been asked for every city.
    await stage.linger(3);

    stage.weatherBecomes({ mode: "broken" });
    const allOpen = () => stage.breakers().length > 0 && stage.breakers().every((state) => state === "open");
    if (!(await stage.until(allOpen, 10))) problems.push("the breakers had to open within 10 s, and did not");
    await stage.linger(quick ? 1.5 : 6);

    stage.weatherBecomes({ mode: "normal" });
    const allClosed = () => stage.breakers().length > 0 && stage.breakers().every((state) => state === "closed");
    if (!(await stage.until(allClosed, 15)))
      problems.push("the breakers had to close within 15 s of the recovery, and did not");
    await stage.linger(quick ? 1 : 5);

    if (!quick) await stage.until(() => stage.calls() >= LEAST_CALLS * 1.02, 40);
    return {
      outcome: problems.length === 0 ? "answered from cache" : "did not recover as it must",
      problems,
    };
  },
  check({ bySource }) {
    const problems: string[] = [];
    if ((bySource.cached ?? 0) === 0) problems.push("answers had to say 'cached' during the outage, and none did");
    if ((bySource.static ?? 0) > 0) {
      problems.push(`${bySource.static ?? 0} answers were static, although every city had been asked for before`);
    }
    return problems;
  },
};
