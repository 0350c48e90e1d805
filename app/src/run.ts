import { inspect } from "node:util";
import { startApp, type AppOptions } from "./app.ts";
import { readConfig } from "./config.ts";
import { InvalidConfig } from "./config/invalid-config.ts";
import { CannotListen } from "./server/listen.ts";
import { createLogger } from "./telemetry/logger.ts";

/**
 * Runs the app as a process, with settings from the environment and a drain on SIGTERM or SIGINT. A
 * second signal ends the process at once. Exit code 0 after a complete drain; 1 when calls were cut
 * off, a port is in use, or the start failed; 2 for an invalid setting.
 */
export async function run(options: Pick<AppOptions, "tools" | "register"> = {}): Promise<void> {
  // First, because the process may be stopped while it starts.
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
    // Only the stack: Node would also print the failing line, which in a bundle is all of the
    // source.
    const isForeseen = error instanceof InvalidConfig || error instanceof CannotListen;
    process.stderr.write(`${isForeseen ? error.message : inspect(error)}\n`);
    process.exit(error instanceof InvalidConfig ? 2 : 1);
  }
}
