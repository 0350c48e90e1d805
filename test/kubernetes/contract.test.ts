import { capacityContract } from "../release/contract/capacity.ts";
import { measurementsContract, probeContract } from "../release/contract/probe.ts";
import { recordsContract } from "../release/contract/records.ts";
import { trafficContract } from "../release/contract/traffic.ts";
import { answeringStoreWorld, storeWorld } from "./world.ts";

const NAME = "a Kubernetes cluster";

trafficContract(NAME, () => storeWorld());
capacityContract(NAME, () => storeWorld());
recordsContract(NAME, () => storeWorld());
probeContract(NAME, answeringStoreWorld);
measurementsContract(NAME, answeringStoreWorld);
