const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** The seconds of a duration such as `500ms`, `20s` or `5m`, rounded up; undefined if the text is not one. */
export function secondsOf(duration: string): number | undefined {
  const { amount, unit } = /^(?<amount>\d+)(?<unit>ms|s|m|h)$/.exec(duration)?.groups ?? {};
  if (amount === undefined || unit === undefined) return undefined;
  return Math.ceil(Number(amount) * SECONDS[unit as keyof typeof SECONDS]);
}
