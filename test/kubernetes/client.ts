import type { KubeApi } from "../../release/targets/kubernetes/api/kube-api.ts";
import type { Subject } from "./failures.ts";
import type { Faults } from "./faults.ts";

/** A client of a fake API server, in the hands of a test. */
export interface Client extends KubeApi {
  /** The faults of its network. */
  readonly faults: Faults;

  /** Every request that was made. */
  readonly requests: readonly Subject[];

  /** Runs before each request is sent, in which others may act. A request is sent when its promise resolves. */
  before: (subject: Subject) => Promise<void> | void;

  /** Resolves after everything that was sent has been answered. */
  settled(): Promise<void>;

  close(): Promise<void>;
}
