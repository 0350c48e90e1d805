import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../../environment/environment.ts";
import type { Images } from "../versions/bundles.ts";
import type { Fault, FaultyProxyOptions } from "./faulty-proxy.ts";

const PROXY = new URL("./faulty-proxy.ts", import.meta.url).href;

/**
 * Calls of a color at full speed: more than the gates make before promote, less than its clients
 * make in some seconds.
 */
const QUICK_CALLS = 140;

/**
 * The versions of a server of somebody's own. The good ones are the server; the bad ones have a
 * proxy in front of it, and are files in this folder.
 *
 * @param server the folder in which the server's command runs
 */
export async function ownVersions(environment: Environment, server: string, folder: string): Promise<Images> {
  const { smoke, bake } = environment.release;
  const version = async (name: string, fault: Fault): Promise<string> => {
    const { command = [], variables } = environment.server;
    const options: FaultyProxyOptions = {
      command,
      folder: server,
      ...(variables.port !== undefined && { variable: variables.port }),
      ports: variables.ports,
      fault,
    };
    const file = join(folder, `${name}.mjs`);
    await writeFile(
      file,
      `import { runFaulty } from ${JSON.stringify(PROXY)};\nawait runFaulty(${JSON.stringify(options)});\n`,
    );
    return file;
  };
  return {
    first: server,
    good: server,
    // A smoke call looks at the tool's answer; without one, a release looks at the list of tools.
    wrong: await version("wrong", { type: "wrong", methods: [smoke === undefined ? "tools/list" : "tools/call"] }),
    slow: await version("slow", {
      type: "slow",
      quickCalls: Math.ceil(QUICK_CALLS / environment.scaling.minReplicas),
      slowerMs: bake.maxP95Ms / 40,
      mostMs: 1.6 * bake.maxP95Ms,
    }),
  };
}
