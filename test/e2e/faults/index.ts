import type { Step } from "../step.ts";
import { admissionPolicy } from "./admission-policy.ts";
import { apiOutage } from "./api-outage.ts";
import { displaced } from "./displaced.ts";
import { expiringCertificate } from "./expiring-certificate.ts";
import { imageWebhook } from "./image-webhook.ts";
import { killedAfterEachStep, killedAtRandom } from "./killed-anywhere.ts";
import { leastRights } from "./least-rights.ts";
import { stalePlan } from "./stale-plan.ts";

/** What befalls releases on real clusters. Each step leaves a deployed environment without a release in progress. */
export const FAULT_STEPS: readonly Step[] = [
  displaced,
  leastRights,
  admissionPolicy,
  imageWebhook,
  stalePlan,
  expiringCertificate,
  apiOutage,
  killedAfterEachStep,
  killedAtRandom,
];
