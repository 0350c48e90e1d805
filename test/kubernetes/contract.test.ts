import { capacityContract } from "../release/contract/capacity.ts";
import { measurementsContract, probeContract } from "../release/contract/probe.ts";
import { recordsContract } from "../release/contract/records.ts";
import { stagingContract } from "../release/contract/staging.ts";
import { trafficContract } from "../release/contract/traffic.ts";
import { migrationsContract } from "../release/contract/migrations.ts";
import { answeringStoreWorld, httpWorld, migratingHttpWorld, migratingStoreWorld } from "./world.ts";

for (const [name, open] of [
  ["a Kubernetes cluster in memory", answeringStoreWorld],
  ["a Kubernetes cluster over HTTP", httpWorld],
] as const) {
  trafficContract(name, open);
  capacityContract(name, open);
  stagingContract(name, open);
  recordsContract(name, open);
  probeContract(name, open);
  measurementsContract(name, open);
}

migrationsContract("a Kubernetes cluster in memory", migratingStoreWorld);
migrationsContract("a Kubernetes cluster over HTTP", migratingHttpWorld);
