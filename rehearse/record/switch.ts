import type { Color } from "../../environment/color.ts";
import type { Pulse } from "../traffic/sample.ts";

/** One move of the traffic, timed by those who use it. Times are milliseconds. */
export interface Switch {
  readonly kind: "promote" | "rollback";
  readonly from: Color;
  readonly to: Color;
  /** When the change was sent, since the epoch. */
  readonly sentAt: number;
  /** From sent to confirmed. */
  readonly changeMs: number;
  /** From sent to the last answer of the old color on a connection opened after that; 0 when there was none. */
  readonly lastOldAnswerMs: number;
  /** From sent to the first answer of the new color on such a connection. */
  readonly firstNewAnswerMs: number | null;
}

export type Move = Omit<Switch, "lastOldAnswerMs" | "firstNewAnswerMs">;

/**
 * Times switches by the pulse: calls of constant cost, each on a connection of its own, every 20 ms. A call that a slow version
 * holds for half a second would say how slow that version is, not where new connections go.
 */
export class SwitchTimer {
  #pulses: Pulse[] = [];
  #moves: Move[] = [];

  addPulses(pulses: readonly Pulse[]): void {
    this.#pulses.push(...pulses);
  }

  addMove(move: Move): void {
    this.#moves.push(move);
  }

  /** All moves since it was last asked; to be asked when the pulses around them have come in. */
  take(): Switch[] {
    const pulses = this.#pulses;
    const switches = this.#moves.map((move, index) => {
      const until = this.#moves[index + 1]?.sentAt ?? Infinity;
      const during = pulses.filter(({ openedAt, answeredAt }) => openedAt >= move.sentAt && answeredAt < until);
      const last = during.findLast(({ color }) => color === move.from)?.answeredAt;
      const first = during.find(({ color }) => color === move.to)?.answeredAt;
      return {
        ...move,
        lastOldAnswerMs: last === undefined ? 0 : tenths(last - move.sentAt),
        firstNewAnswerMs: first === undefined ? null : tenths(first - move.sentAt),
      };
    });
    this.#pulses = [];
    this.#moves = [];
    return switches;
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
