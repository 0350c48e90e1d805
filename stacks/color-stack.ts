import type { Construct } from "constructs";
import { Autoscaler } from "../constructs/autoscaler.ts";
import { ColorDeployment } from "../constructs/color-deployment.ts";
import { ColorService } from "../constructs/color-service.ts";
import { DisruptionBudget } from "../constructs/disruption-budget.ts";
import type { ReleaseStage } from "../constructs/stage-marker.ts";
import type { Color } from "../environment/color.ts";
import { EnvironmentStack, type EnvironmentStackProps } from "./environment-stack.ts";
import { literal } from "./literal.ts";
import { podProps } from "./pods.ts";

/** An image that goes to a color, with the environment's settings. */
export interface ColorStage {
  readonly image: string;

  /** @default - an operator stages, without a mark and without a fence */
  readonly release?: ReleaseStage | undefined;
}

export interface ColorStackProps extends EnvironmentStackProps {
  readonly color: Color;

  /** @default - the environment's image if the color is new, otherwise the image that it has */
  readonly stage?: ColorStage | undefined;
}

/** One color: its pods, how many there are, and how to reach them and no others. */
export class ColorStack extends EnvironmentStack {
  readonly pods: ColorDeployment;
  readonly autoscaler: Autoscaler;
  readonly disruptionBudget: DisruptionBudget;
  readonly service: ColorService;

  constructor(scope: Construct, { color, stage, ...props }: ColorStackProps) {
    super(scope, color, props);
    const { names } = this;
    const { namespace, app, scaling, server } = this.environment;
    const name = names.color(color);
    const { image = app.image, release } = literal(stage ?? {}) as Partial<ColorStage>;

    this.pods = new ColorDeployment(this, "pods", {
      names,
      namespace,
      color,
      image,
      pod: podProps(this.environment, names),
      staged: stage !== undefined,
      release,
    });
    // One app has the stack to itself: its plans and states have short names. A release knows the marker by its name.
    this.pods.marker.resource.overrideLogicalId("stage");
    this.pods.live?.overrideLogicalId("live");
    this.autoscaler = new Autoscaler(this, "autoscaler", { names, namespace, deployment: name, ...scaling });
    this.disruptionBudget = new DisruptionBudget(this, "disruption-budget", { names, namespace, color });
    this.service = new ColorService(this, "service", { names, namespace, name, port: server.servicePort, color });
  }
}
