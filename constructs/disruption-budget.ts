import { PodDisruptionBudgetV1 } from "@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import type { Color } from "../environment/color.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface DisruptionBudgetProps {
  readonly names: Names;
  readonly namespace: string;
  readonly color: Color;

  /**
   * Pods that node maintenance may take away at the same time: a number, or a share of all, rounded up.
   *
   * @default "25%"
   */
  readonly maxUnavailable?: string;
}

/** Lets nodes be drained while a color works. Never a minimum in pods: as many as there are would stop every drain. */
export class DisruptionBudget extends Construct {
  readonly disruptionBudget: PodDisruptionBudgetV1;

  constructor(scope: Construct, id: string, props: DisruptionBudgetProps) {
    super(scope, id);
    const { names, namespace, color, maxUnavailable = "25%" } = props;
    this.disruptionBudget = new PodDisruptionBudgetV1(this, "pdb", {
      metadata: objectMetadata(names, { name: names.color(color), namespace }),
      spec: { maxUnavailable, selector: { matchLabels: { ...names.colorLabels(color) } } },
    });
  }
}
