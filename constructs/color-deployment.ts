import { DataKubernetesServiceV1 } from "@cdktf/provider-kubernetes/lib/data-kubernetes-service-v1/index.js";
import { DeploymentV1 } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";
import { Lazy, type TerraformResourceLifecycle } from "cdktf";
import { Construct } from "constructs";
import type { Color } from "../environment/color.ts";
import { COLOR_LABEL, EPOCH_ANNOTATION, type Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";
import type { PodProps, Strategy } from "./pod-props.ts";
import { podTemplate } from "./pod-template.ts";
import { StageMarker, type ReleaseStage } from "./stage-marker.ts";

export interface ColorDeploymentProps {
  readonly names: Names;
  readonly namespace: string;
  readonly color: Color;
  readonly image: string;
  readonly pod: PodProps;

  /**
   * Whether Terraform is to put `image` and `pod` on the pods. Otherwise it does so when it creates the Deployment and
   * never again: pods change with a release.
   *
   * @default false
   */
  readonly staged?: boolean;

  /** The release that stages. @default - an operator does, if anybody */
  readonly release?: ReleaseStage | undefined;
}

/**
 * The pods of one color. The autoscaler decides how many there are; a release decides which version and settings they have.
 *
 * An apply that stages the live color fails: Terraform would write back the number of pods of its plan, over the
 * autoscaler's. If a release stages, it also fails once a later holder of the lease has fenced the live Service. Both are
 * checked during the apply, so that a plan saved before a switch does nothing after it.
 */
export class ColorDeployment extends Construct {
  readonly deployment: DeploymentV1;
  readonly marker: StageMarker;

  /** The live Service as the apply of a stage reads it. @default - nothing is staged */
  readonly live: DataKubernetesServiceV1 | undefined;

  constructor(scope: Construct, id: string, props: ColorDeploymentProps) {
    super(scope, id);
    const { names, namespace, color, image, pod, staged = false, release } = props;
    const labels = { ...names.colorLabels(color) };
    this.marker = new StageMarker(this, "marker", { staged, release });
    this.live = staged ? this.#readLive(props) : undefined;

    // Nothing beside the spec may depend on the image or the settings: only the spec is ignored.
    this.deployment = new DeploymentV1(this, "deployment", {
      metadata: objectMetadata(names, { name: names.color(color), namespace, labels }),
      // Whether the pods come up is for a release's gates to see; a deploy that waited would fail for good with the first bad image.
      waitForRollout: false,
      spec: {
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: 300,
        selector: { matchLabels: labels },
        strategy: strategyOf(pod.strategy),
        template: podTemplate({ names, color, image, pod, mark: release?.mark }),
      },
      lifecycle: this.live === undefined ? { ignoreChanges: ["spec"] } : this.#onlyWhileIdle(this.live, color),
    });
  }

  #readLive({ names, namespace }: ColorDeploymentProps): DataKubernetesServiceV1 {
    const live = new DataKubernetesServiceV1(this, "live", { metadata: { name: names.live, namespace } });
    live.addOverride("depends_on", [Lazy.stringValue({ produce: () => this.marker.address })]);
    return live;
  }

  #onlyWhileIdle(live: DataKubernetesServiceV1, color: Color): TerraformResourceLifecycle {
    // Addresses are final only in the synth, since a stack may override logical ids.
    const service = () => `data.${live.terraformResourceType}.${live.friendlyUniqueId}`;
    const liveColor = () => `try(${service()}.spec[0].selector["${COLOR_LABEL}"], "none")`;
    const fence = this.marker.conditionOn(
      () => `try(${service()}.metadata[0].annotations["${EPOCH_ANNOTATION}"], "none")`,
    );
    return {
      precondition: [
        {
          condition: Lazy.stringValue({ produce: () => `\${${liveColor()} != "${color}"}` }),
          errorMessage: `${color} holds the traffic: stage the other color, or move the traffic first`,
        },
        ...(fence === undefined ? [] : [fence]),
      ],
    };
  }
}

const strategyOf = (strategy: Strategy) =>
  strategy.type === "Recreate"
    ? { type: strategy.type }
    : {
        type: strategy.type,
        rollingUpdate: { maxSurge: strategy.maxSurge, maxUnavailable: strategy.maxUnavailable },
      };
