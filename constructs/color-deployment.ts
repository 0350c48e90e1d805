import { DataKubernetesServiceV1 } from "@cdktf/provider-kubernetes/lib/data-kubernetes-service-v1/index.js";
import { DeploymentV1 } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import type { TerraformResourceLifecycle } from "cdktf";
import { Construct } from "constructs";
import { COLOR_LABEL, colorLabels, colorName, LIVE_SERVICE } from "../environments/names.ts";
import type { Color } from "../release/color.ts";
import type { PodSettings } from "./pod-settings.ts";
import { podTemplate } from "./pod-template.ts";

export interface ColorDeploymentProps {
  readonly namespace: string;
  readonly color: Color;
  readonly image: string;
  readonly settings: PodSettings;

  /**
   * Whether Terraform is to put `image` and `settings` on the pods. Otherwise it does so when it creates the Deployment and
   * never again: pods change with a release.
   *
   * @default false
   */
  readonly staged?: boolean;
}

/**
 * The pods of one color. How many there are is the autoscaler's to say; which version and settings they have, a release's.
 *
 * A plan that stages the color that is live fails: Terraform would write back the number of pods it saw, over the autoscaler's.
 */
export class ColorDeployment extends Construct {
  constructor(scope: Construct, id: string, props: ColorDeploymentProps) {
    super(scope, id);
    const { namespace, color, image, settings, staged = false } = props;

    // Nothing beside the spec may depend on the image or the settings: only the spec is ignored.
    new DeploymentV1(this, "deployment", {
      metadata: { name: colorName(color), namespace, labels: colorLabels(color) },
      // Whether the pods come up is for a release's gates to see; a deploy that waited would fail for good with the first bad image.
      waitForRollout: false,
      spec: {
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: 300,
        selector: { matchLabels: colorLabels(color) },
        // Never below what the autoscaler asks for.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "0" } },
        template: podTemplate({ color, image, settings }),
      },
      lifecycle: staged ? this.#onlyWhileIdle(namespace, color) : { ignoreChanges: ["spec"] },
    });
  }

  #onlyWhileIdle(namespace: string, color: Color): TerraformResourceLifecycle {
    const live = new DataKubernetesServiceV1(this, "live", { metadata: { name: LIVE_SERVICE, namespace } });
    live.overrideLogicalId("live");
    const liveColor = `try(data.kubernetes_service_v1.live.spec[0].selector["${COLOR_LABEL}"], "none")`;
    return {
      precondition: [
        {
          condition: `\${${liveColor} != "${color}"}`,
          errorMessage: `${color} holds the traffic: stage the other color, or move the traffic first`,
        },
      ],
    };
  }
}
