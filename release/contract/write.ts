import { styleText } from "node:util";
import type { Contract } from "./contract.ts";
import type { Found } from "./line.ts";

const STYLES: Record<Found, Parameters<typeof styleText>[0]> = {
  ok: "green",
  lacks: "yellow",
  wrong: "red",
  unknown: "yellow",
};

/** Prints a contract: a line for each part, and under it what a release does without; or one JSON object. */
export function writeContract(contract: Contract, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(contract)}\n` : `${inWords(contract)}\n`);
}

/** Whether the server does what its description says. What it merely lacks is no fault. */
export const holds = ({ lines }: Contract): boolean => lines.every(({ found }) => found !== "wrong");

function inWords({ color, live, pods, lines }: Contract): string {
  const longest = Math.max(...lines.map(({ what }) => what.length));
  const indent = " ".repeat(10 + longest + 1);
  return [
    `server of ${color} (${live ? "live" : "idle"}), ${pods} pods ready`,
    ...lines.flatMap(({ what, found, evidence, without }) => {
      const outcome = styleText(STYLES[found], found.padEnd(8), { stream: process.stdout });
      const line = `${outcome}  ${what.padEnd(longest)} ${evidence}`;
      return without === undefined ? [line] : [line, `${indent}→ ${without}`];
    }),
  ].join("\n");
}
