import { HorizontalPodAutoscalerV2 } from "@cdktf/provider-kubernetes/lib/horizontal-pod-autoscaler-v2/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { quantityOf } from "../environment/quantity.ts";
import { objectMetadata } from "./object-metadata.ts";
import { SCALE_DOWN, SCALE_UP, SCALING_METRICS } from "./scaling-rules.ts";

export interface AutoscalerProps {
  readonly names: Names;
  readonly namespace: string;

  /** Name of the Deployment whose replicas this autoscaler owns, and its own. Nothing else may set them. */
  readonly deployment: string;

  /** Pods when it is quiet. A release raises it through the API while it lasts; the next deploy would lower it again. */
  readonly minReplicas: number;

  readonly maxReplicas: number;

  /**
   * Requests per second that one pod carries with its p95 under the objective; 60 to 70 % of its knee. Latency is
   * scaled on beside it.
   *
   * @default - requests are not scaled on
   */
  readonly requestsPerPod?: number | undefined;

  /** The CPU that pods use on average, in percent of their requests. @default - CPU is not scaled on */
  readonly cpuPercent?: number | undefined;

  /** The memory that pods use on average, in percent of their requests. @default - memory is not scaled on */
  readonly memoryPercent?: number | undefined;
}

/**
 * The autoscaler of a color. A fixed number of pods has one as well, with equal bounds: a release raises its minimum.
 *
 * With `requestsPerPod` it scales on the rate of requests first, latency second, and on what else is given besides: the
 * largest number of pods wins.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
export class Autoscaler extends Construct {
  readonly autoscaler: HorizontalPodAutoscalerV2;

  constructor(scope: Construct, id: string, props: AutoscalerProps) {
    super(scope, id);
    const { names, namespace, deployment, minReplicas, maxReplicas, requestsPerPod, cpuPercent, memoryPercent } = props;
    if (minReplicas < 1 || minReplicas > maxReplicas) {
      throw new Error(
        `'minReplicas' (${minReplicas}) must be at least 1 and at most 'maxReplicas' (${maxReplicas}) for deployment '${deployment}'`,
      );
    }
    if (requestsPerPod !== undefined && requestsPerPod <= 0) {
      throw new Error(`'requestsPerPod' (${requestsPerPod}) must be more than 0 for deployment '${deployment}'`);
    }

    this.autoscaler = new HorizontalPodAutoscalerV2(this, "hpa", {
      metadata: objectMetadata(names, { name: deployment, namespace }),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
        minReplicas,
        maxReplicas,
        metric: metrics(requestsPerPod, cpuPercent, memoryPercent),
        behavior: { scaleUp: [SCALE_UP], scaleDown: [SCALE_DOWN] },
      },
    });
  }
}

/** The API itself scales on CPU where nothing is named, so that is written: else every plan would remove it. */
function metrics(requestsPerPod?: number, cpuPercent?: number, memoryPercent?: number) {
  const named = [
    ...(requestsPerPod === undefined
      ? []
      : [perPod(SCALING_METRICS.requestRate, requestsPerPod), perPod(SCALING_METRICS.latencyPressure, 1)]),
    ...(cpuPercent === undefined ? [] : [ofRequests("cpu", cpuPercent)]),
    ...(memoryPercent === undefined ? [] : [ofRequests("memory", memoryPercent)]),
  ];
  return named.length > 0 ? named : [ofRequests("cpu", API_DEFAULT_CPU_PERCENT)];
}

const API_DEFAULT_CPU_PERCENT = 80;

const ofRequests = (name: string, averageUtilization: number) => ({
  type: "Resource",
  resource: { name, target: { type: "Utilization", averageUtilization } },
});

const perPod = (name: string, average: number) => ({
  type: "Pods",
  pods: { metric: { name }, target: { type: "AverageValue", averageValue: quantityOf(average) } },
});
