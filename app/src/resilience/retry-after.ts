/**
 * Reads a Retry-After header, which is either seconds or a date.
 *
 * @param now - Unix time in milliseconds, since dates are on the wall's clock and not on a policy's
 * @returns milliseconds, at least 0; nothing where the header is absent or says neither
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // A date names its day; Date.parse alone would take a bare number with a sign or a point for a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
