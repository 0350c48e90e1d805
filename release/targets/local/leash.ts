/**
 * Loaded before the app, in the app's own process: when whoever started it is gone, however it went, the app goes too. The app
 * itself needs to know nothing of it.
 */
process.once("disconnect", () => process.exit());
// The channel alone must not keep a drained app from ending.
process.channel?.unref();
