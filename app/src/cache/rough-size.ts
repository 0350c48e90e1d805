/** Bytes of an object or array, and of each of its properties or items. */
const OBJECT = 24;
const SLOT = 8;

/**
 * Estimated memory of a value in bytes. Stops soon after `max`, to limit the cost. An object that
 * occurs twice counts twice; only properties are counted.
 */
export function roughSize(value: unknown, max: number): number {
  let bytes = 0;
  const rest = [value];
  while (rest.length > 0 && bytes <= max) {
    const next = rest.pop();
    if (typeof next === "string") bytes += OBJECT + 2 * next.length;
    else if (ArrayBuffer.isView(next)) bytes += OBJECT + next.byteLength;
    else if (typeof next === "object" && next !== null) {
      const items: unknown[] = Object.values(next);
      bytes += OBJECT + SLOT * items.length;
      for (const item of items) rest.push(item);
    } else bytes += SLOT;
  }
  return bytes;
}
