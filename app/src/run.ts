import { startApp, type AppOptions } from "./app.ts";
import { readConfig } from "./config.ts";
import { InvalidConfig } from "./config/invalid-config.ts";
import { CannotListen } from "./server/listen.ts";
import { createLogger } from "./telemetry/logger.ts";

/**
 * Runs the app as a process: settings from the environment, a drain on SIGTERM or SIGINT, and exit code 0 after it, 1 when calls
 * had to be cut off or a port is taken, 2 when the settings do not hold. A second signal ends the process at once.
 */
export async function run(options: Pick<AppOptions, "tools" | "register"> = {}): Promise<void> {
  // Before anything else: whoever starts a process may stop it at once, and it still has to end as it should.
  const stop = Promise.withResolvers<NodeJS.Signals>();
  process.once("SIGTERM", stop.resolve).once("SIGINT", stop.resolve);
  try {
    const config = readConfig(process.env);
    const log = createLogger(config);
    process.on("warning", (warning) => {
      log.logger.warn({ err: warning }, "warning of the process");
    });
    const app = await startApp({ ...options, config, log });

    log.logger.info({ signal: await stop.promise }, "stopping");
    process.once("SIGTERM", () => process.exit(1)).once("SIGINT", () => process.exit(1));
    const cutOff = await app.close();
    process.exit(cutOff === 0 ? 0 : 1);
  } catch (error) {
    if (!(error instanceof InvalidConfig) && !(error instanceof CannotListen)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error instanceof InvalidConfig ? 2 : 1);
  }
}
