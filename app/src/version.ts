/** Defined by the bundler: see build.ts. */
declare const BUNDLED_VERSION: string | undefined;

/** The version of the image; from source there is none. */
export const VERSION = typeof BUNDLED_VERSION === "string" ? BUNDLED_VERSION : "0.0.0-source";
