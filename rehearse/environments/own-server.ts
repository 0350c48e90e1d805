import { readFile } from "node:fs/promises";
import { loadEnvironment } from "../../environment/load.ts";
import { OWN_SERVER, ownEnvironment, type OwnServer } from "../server/described.ts";

const { environment, examined, quick, ...given } = JSON.parse(
  await readFile(process.env[OWN_SERVER] ?? "", "utf8"),
) as OwnServer;
const described = environment === undefined ? {} : { environment: await loadEnvironment(environment) };

/** Somebody's own server, in the process of the host, of the traffic or of a release command. */
export default ownEnvironment({ ...given, ...described }, examined, quick);
