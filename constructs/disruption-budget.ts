import { PodDisruptionBudgetV1 } from "@cdktf/provider-kubernetes/lib/pod-disruption-budget-v1/index.js";
import { Construct } from "constructs";
import { colorLabels, colorName } from "../environment/names.ts";
import type { Color } from "../environment/color.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface DisruptionBudgetProps {
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
  constructor(scope: Construct, id: string, { namespace, color, maxUnavailable = "25%" }: DisruptionBudgetProps) {
    super(scope, id);
    new PodDisruptionBudgetV1(this, "pdb", {
      metadata: objectMetadata({ name: colorName(color), namespace }),
      spec: { maxUnavailable, selector: { matchLabels: colorLabels(color) } },
    });
  }
}
