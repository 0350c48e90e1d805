import { startApp, type AppOptions } from "./app.ts";
import { InvalidConfig, readConfig } from "./config.ts";
import { CannotListen } from "./server/listen.ts";
import { createLogger } from "./telemetry/logger.ts";

/**
 * Runs the app as a process: settings from the environment, a drain on SIGTERM or SIGINT, and exit code 0 after it, 1 when calls
 * had to be cut off or a port is taken, 2 when the settings do not hold. A second signal ends the process at once.
 */
export async function run(options: Pick<AppOptions, "tools"> = {}): Promise<void> {
  try {
    const config = readConfig(process.env);
    const log = createLogger(config);
    const app = await startApp({ ...options, config, log });
    const stop = (signal: NodeJS.Signals) => {
      log.logger.info({ signal }, "stopping");
      process.once("SIGTERM", () => process.exit(1));
      process.once("SIGINT", () => process.exit(1));
      app.close().then(
        (cutOff) => process.exit(cutOff === 0 ? 0 : 1),
        (error: unknown) => {
          log.logger.fatal({ err: error }, "drain failed");
          log.flush();
          process.exit(1);
        },
      );
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  } catch (error) {
    if (!(error instanceof InvalidConfig) && !(error instanceof CannotListen)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(error instanceof InvalidConfig ? 2 : 1);
  }
}
