import type { WatchdogMessage } from "./watchdog.ts";

/** The process of a watchdog: see there. */
const groups = new Set<number>();

process.on("message", (message: WatchdogMessage) => {
  if ("keep" in message) groups.add(message.keep);
  else groups.delete(message.forget);
});

process.once("disconnect", () => {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  process.exit();
});

// It ends with the host and not before.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
