import type { BreakerState } from "../../app/src/resilience/breaker-options.ts";

/** What a pod is told to do. `call`: so many callers call until the breaker is closed. */
export type Order =
  | { readonly type: "fail" }
  | { readonly type: "succeed" }
  | { readonly type: "reset" }
  | { readonly type: "call"; readonly callers: number };

/** What a pod tells. `at`: milliseconds since 1970, on the clock that all processes of a machine share. */
export type Told =
  { readonly type: "ready" } | { readonly type: "state"; readonly state: BreakerState; readonly at: number };
