import { bundledServer } from "../../../environment/bundled-server.ts";
import type { Environment } from "../../../environment/environment.ts";
import { server } from "../../../environment/schema/server.ts";
import type { Clock } from "../../ports/clock.ts";
import { systemClock } from "../../system-clock.ts";
import type { Migrations } from "../../ports/migrations.ts";
import type { Staging } from "../../ports/staging.ts";
import type { Target } from "../../ports/target.ts";
import { announce } from "./announce.ts";
import type { KubeApi } from "./api/kube-api.ts";
import { PodCapacity } from "./capacity.ts";
import { Fences } from "./fences.ts";
import { waitingMigrations } from "./migration/jobs.ts";
import { PodProbe } from "./probe.ts";
import { LeaseRecords } from "./records.ts";
import { SelectorTraffic } from "./traffic.ts";

export interface KubernetesTargetOptions {
  readonly api: KubeApi;
  readonly environment: Pick<Environment, "scaling"> & Partial<Pick<Environment, "server" | "name" | "ingress">>;

  /** Made from the fences of this target, since a stage writes to the objects that they guard. */
  readonly staging: (fences: Fences) => Staging;

  /** Made in the same way. @default - the environment has no migration */
  readonly migrations?: (fences: Fences) => Migrations;

  /** The cluster and the identity, one line each. @default none */
  readonly description?: readonly string[];

  /** @default systemClock */
  readonly clock?: Clock;
}

/** Releases to pods behind a Service. Only `staging` needs more than the Kubernetes API. */
export function kubernetesTarget(options: KubernetesTargetOptions): Target {
  const { api, environment, staging, migrations, description = [], clock = systemClock } = options;
  const fences = new Fences(api, {
    environment: environment.name,
    temporary: migrations && ((signal) => waitingMigrations(api, signal)),
  });
  const probe = new PodProbe(api, environment.server ?? server.parse(bundledServer()));
  return {
    description,
    traffic: new SelectorTraffic(api, fences, environment.ingress !== undefined),
    capacity: new PodCapacity(api, fences, environment.scaling, clock),
    staging: staging(fences),
    migrations: migrations?.(fences),
    records: new LeaseRecords(api, fences, clock),
    probe,
    measurements: probe.measurements,
    announce: (phase, message, signal) => announce(api, clock, phase, message, signal),
    close: () => probe.close(),
  };
}
