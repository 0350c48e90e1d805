import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { environment, InvalidEnvironment, type EnvironmentInput } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import everyField from "../stacks/every-field.ts";

type Path = readonly string[];

/** The paths of all fields, groups and items. A Zod schema is one value. */
function paths(value: unknown, path: Path = []): Path[] {
  const isGroup = typeof value === "object" && value !== null && path.at(-1) !== "expect";
  return [
    ...(path.length > 0 ? [path] : []),
    ...(isGroup ? Object.entries(value) : []).flatMap(([key, part]) => paths(part, [...path, key])),
  ];
}

/** A copy with another value at a path. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const group = copy as Record<string, unknown>;
  group[key] = changed(group[key], rest, to);
  return copy;
}

const junk = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    "",
    "Bad_Name",
    "512MB",
    -1,
    0,
    1.5,
    Number.NaN,
    true,
    [],
    {},
    [null],
    { a: 1 },
    "${x}",
    "a:1",
  ),
  fc.string(),
);

describe("an environment with anything in the place of anything", () => {
  it.each([local, everyField])("is valid, or refused in words: $name", (of) => {
    const change = fc.tuple(fc.constantFrom(...paths(of)), junk);

    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        // A change inside of one that came before it has nothing to change.
        const input = changes.reduce<unknown>((value, [path, to]) => {
          try {
            return changed(value, path, to);
          } catch {
            return value;
          }
        }, of);
        try {
          environment(input as EnvironmentInput);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidEnvironment);
          expect(String(error)).not.toMatch(/Invalid input|undefined|\[object/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
