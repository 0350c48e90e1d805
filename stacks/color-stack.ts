import type { Construct } from "constructs";
import { Autoscaler } from "../constructs/autoscaler.ts";
import { ColorDeployment } from "../constructs/color-deployment.ts";
import { ColorService } from "../constructs/color-service.ts";
import { DisruptionBudget } from "../constructs/disruption-budget.ts";
import { colorName } from "../environments/names.ts";
import type { Color } from "../release/color.ts";
import { EnvironmentStack, type EnvironmentStackProps } from "./environment-stack.ts";
import { podSettings } from "./pod-settings.ts";

export interface ColorStackProps extends EnvironmentStackProps {
  readonly color: Color;

  /**
   * The image to put on this color.
   *
   * @default - the environment's if the color is new, otherwise the one it has
   */
  readonly stage?: string;
}

/** One color: its pods, how many there are, and how to reach them and no others. */
export class ColorStack extends EnvironmentStack {
  constructor(scope: Construct, { color, stage, ...props }: ColorStackProps) {
    super(scope, color, props);
    const { namespace, app, scaling } = this.environment;
    const name = colorName(color);

    new ColorDeployment(this, "pods", {
      namespace,
      color,
      image: stage ?? app.image,
      settings: podSettings(this.environment),
      staged: stage !== undefined,
    });
    new Autoscaler(this, "autoscaler", { namespace, deployment: name, ...scaling });
    new DisruptionBudget(this, "disruption-budget", { namespace, color });
    new ColorService(this, "service", { namespace, name, color });
  }
}
