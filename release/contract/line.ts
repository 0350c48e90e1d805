import type { Color } from "../../environment/color.ts";
import type { Environment } from "../../environment/environment.ts";
import type { ColorState } from "../ports/capacity.ts";
import type { Endpoint } from "../ports/probe.ts";
import type { Target } from "../ports/target.ts";

/**
 * What a check found:
 *
 * - `ok`: the server has it
 * - `lacks`: the server does not have it, and a release does without; `without` says how
 * - `wrong`: the server does not do what its description says; `without` says what that breaks
 * - `unknown`: it could not be checked
 */
export type Found = "ok" | "lacks" | "wrong" | "unknown";

/** One line of a server's contract. */
export interface ContractLine {
  /** What a release wants of the server, such as `health`. */
  readonly what: string;
  readonly found: Found;
  /** In one line, with numbers and the server's own words. */
  readonly evidence: string;
  /** What a release does without it. @default - nothing to do without */
  readonly without?: string;
}

export interface ContractContext {
  readonly target: Target;
  readonly environment: Environment;
  readonly color: Color;
  readonly state: ColorState;
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
}

/** A part of the contract. Only reads, besides calls that a client could make. */
export type ContractCheck = (context: ContractContext) => Promise<readonly ContractLine[]> | readonly ContractLine[];
