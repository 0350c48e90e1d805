import type { Failure, Subject } from "./failures.ts";

/** What happens to requests, instead of or after their effect. */
export interface Fault extends Partial<Pick<Subject, "verb" | "kind" | "name">> {
  /**
   * - `unreachable`: the request never arrives
   * - `unanswered`: it has its effect, and the answer is lost
   * - `hang`: it never arrives and nothing says so
   * - a function: the API server refuses it
   */
  readonly does: "unreachable" | "unanswered" | "hang" | ((subject: Subject) => Failure);
  /** How many requests it happens to. @default 1 */
  readonly times?: number;
  /** How many requests that fit pass before. @default 0 */
  readonly after?: number;
}

/** A script of faults. A fault without a verb, kind or name happens to any. */
export class Faults {
  readonly #faults: { readonly fault: Fault; passes: number; left: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, passes: fault.after ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** The fault that happens to this request, which uses it up. */
  take(subject: Subject): Fault["does"] | undefined {
    for (const entry of this.#faults) {
      if (entry.left === 0 || !fits(entry.fault, subject)) continue;
      if (entry.passes > 0) entry.passes -= 1;
      else {
        entry.left -= 1;
        return entry.fault.does;
      }
    }
    return undefined;
  }
}

const fits = ({ verb, kind, name }: Fault, subject: Subject) =>
  (verb ?? subject.verb) === subject.verb &&
  (kind ?? subject.kind) === subject.kind &&
  (name ?? subject.name) === subject.name;
