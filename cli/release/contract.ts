import { loadEnvironment } from "../../environment/load.ts";
import { userFolder } from "../../environment/user-folder.ts";
import { checkContract } from "../../release/contract/contract.ts";
import { holds, writeContract } from "../../release/contract/write.ts";
import { EXIT_CODES } from "../../release/exit-codes.ts";
import { interrupted } from "../interrupted.ts";
import type { TargetOptions } from "../release.ts";
import { openTarget } from "./target.ts";

export interface ContractOptions extends TargetOptions {
  readonly endPod?: boolean;
}

/** Tells what the server of the idle color lacks for releases; ends with 1 if a release could not go on without it. */
export async function contract(options: ContractOptions): Promise<void> {
  const environment = await loadEnvironment(options.environment, userFolder(), options.context);
  await using target = await openTarget(options, environment);
  const found = await checkContract({ target, environment, signal: interrupted(), endPod: options.endPod === true });
  writeContract(found, options.output === "json");
  process.exitCode = holds(found) ? 0 : EXIT_CODES.aborted;
}
