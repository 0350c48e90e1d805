import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadEnvironment } from "../../../environment/load.ts";
import { userFolder } from "../../../environment/user-folder.ts";
import { UsageError } from "../../errors.ts";
import { removeAddress, writeAddress } from "./address.ts";
import { Control } from "./host/control.ts";
import { Host } from "./host/host.ts";
import { LogFile } from "./host/log-file.ts";

export interface LocalHostOptions {
  /** Name of an environment, or the path of its file. */
  readonly environment: string;
  /**
   * What blue starts with: see programOf.
   *
   * @default - the user's folder, if the environment describes a command; otherwise `bundledApp`
   */
  readonly image?: string;
  /** The bundle of the app that comes with the kit. */
  readonly bundledApp: string;
  /** Where clients connect, on 127.0.0.1; 0 for any free port. */
  readonly port: number;
  /** Where the host says how to reach it. */
  readonly home: string;
  /** Print one JSON object when it is ready, and not a sentence. */
  readonly json: boolean;
}

/**
 * Runs the host until SIGINT or SIGTERM, and then ends the process.
 *
 * @throws UsageError if the server does not start, or there is no such environment or bundle
 */
export async function runLocalHost({
  environment,
  image: given,
  bundledApp,
  port,
  home: folder,
  json,
}: LocalHostOptions): Promise<void> {
  const home = resolve(folder);
  await mkdir(home, { recursive: true });

  const logFile = join(home, "app.log");
  const logs = new LogFile(logFile);
  const described = await loadEnvironment(environment);
  const usual = described.server.command === undefined ? bundledApp : userFolder();
  const image = given === undefined ? usual : resolve(userFolder(), given);
  const host = await Host.start({
    environment: described,
    image,
    port,
    log: (pod, line) => {
      logs.write(`${pod} ${line}`);
    },
  });
  const problem = await host.ready();
  if (problem !== undefined) {
    await host.close();
    await logs.close();
    throw new UsageError(`the server at '${image}' does not start: ${problem}\nAll of its log is in ${logFile}`);
  }
  const token = randomBytes(32).toString("base64url");
  const control = await Control.listen(host, token);
  await writeAddress(home, { control: control.url, token, url: host.url, pid: process.pid });

  const ready = { type: "ready", url: host.url, control: control.url };
  process.stdout.write(json ? `${JSON.stringify(ready)}\n` : `MCP server on ${host.url} (Ctrl-C ends it)\n`);

  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  await removeAddress(home);
  await control.close();
  await host.close();
  process.exit(0);
}
