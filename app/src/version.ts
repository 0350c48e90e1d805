/** Replaced by its value when the app is bundled: see build.ts. */
declare const BUNDLED_VERSION: string | undefined;

/** The version that was built; run from source, the app has none. */
export const VERSION = typeof BUNDLED_VERSION === "string" ? BUNDLED_VERSION : "0.0.0-source";
