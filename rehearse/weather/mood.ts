/**
 * How the stand-in behaves; it can change while calls are under way.
 *
 * - `normal`: answers at once
 * - `slow`: right answers, each `delayMs` late
 * - `broken`: an error 500 and a closed socket, in turns
 */
export type Mood =
  { readonly mode: "normal" } | { readonly mode: "slow"; readonly delayMs: number } | { readonly mode: "broken" };
