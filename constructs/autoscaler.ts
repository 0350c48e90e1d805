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

  /** Requests per second that one pod carries with its p95 under the objective; 60 to 70 % of its knee. */
  readonly requestsPerPod: number;
}

/**
 * Scales a color on what its users feel: the rate of requests first, latency second.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
 */
export class Autoscaler extends Construct {
  /** What both colors of an app must agree on, as they take turns in the same role. */
  readonly bounds: string;
  readonly #app: string;

  constructor(scope: Construct, id: string, props: AutoscalerProps) {
    super(scope, id);
    const { names, namespace, deployment, minReplicas, maxReplicas, requestsPerPod } = props;
    if (minReplicas < 1 || minReplicas > maxReplicas) {
      throw new Error(
        `'minReplicas' (${minReplicas}) must be at least 1 and at most 'maxReplicas' (${maxReplicas}) for deployment '${deployment}'`,
      );
    }
    if (requestsPerPod <= 0) {
      throw new Error(`'requestsPerPod' (${requestsPerPod}) must be more than 0 for deployment '${deployment}'`);
    }
    this.#app = `${namespace}/${names.app}`;
    this.bounds = `${minReplicas} to ${maxReplicas}`;
    this.node.addValidation({ validate: () => this.#disagreements() });

    new HorizontalPodAutoscalerV2(this, "hpa", {
      metadata: objectMetadata(names, { name: deployment, namespace }),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
        minReplicas,
        maxReplicas,
        metric: [perPod(SCALING_METRICS.requestRate, requestsPerPod), perPod(SCALING_METRICS.latencyPressure, 1)],
        behavior: { scaleUp: [SCALE_UP], scaleDown: [SCALE_DOWN] },
      },
    });
  }

  /** A color with other bounds could not take over from, or give back to, the color beside it. */
  #disagreements(): string[] {
    return this.node.root.node
      .findAll()
      .flatMap((other) =>
        other instanceof Autoscaler && other.#app === this.#app && other.bounds !== this.bounds
          ? [`scales '${this.bounds}', but '${other.node.path}' scales '${other.bounds}': both must be the same`]
          : [],
      );
  }
}

const perPod = (name: string, average: number) => ({
  type: "Pods",
  pods: { metric: { name }, target: { type: "AverageValue", averageValue: quantityOf(average) } },
});
