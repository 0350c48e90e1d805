/**
 * Reads a Retry-After header, which is either seconds or a date.
 *
 * @param now - Unix time in milliseconds, because dates use the system's clock
 * @returns milliseconds, at least 0; undefined if the header is absent or is neither
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse alone would read a bare number with a sign or a point as a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
