import { readFile } from "node:fs/promises";
import { loadEnvironment } from "../../environment/load.ts";
import { ownEnvironment, type Examined, type Given } from "../server/described.ts";

/** Names the file that says which server is rehearsed; for the host, the traffic and every release command. */
export const OWN_SERVER = "REHEARSAL_SERVER";

/** What is in that file: an environment is named, because it has checks that are functions. */
export interface OwnServer extends Omit<Given, "environment"> {
  /** Path of the user's environment file. */
  readonly environment?: string;
  readonly examined: Examined;
  readonly quick: boolean;
}

const { environment, examined, quick, ...given } = JSON.parse(
  await readFile(process.env[OWN_SERVER] ?? "", "utf8"),
) as OwnServer;
const described = environment === undefined ? {} : { environment: await loadEnvironment(environment) };

export default ownEnvironment({ ...given, ...described }, examined, quick);
