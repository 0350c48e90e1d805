import type { App } from "cdktf";
import { COLORS, type Color } from "../environment/color.ts";
import { ColorStack, type ColorStage } from "./color-stack.ts";
import type { EnvironmentStackProps } from "./environment-stack.ts";
import { PlatformStack } from "./platform-stack.ts";
import { TrafficStack } from "./traffic-stack.ts";

export interface EnvironmentStacksProps extends EnvironmentStackProps {
  /** @default - pods stay as they are */
  readonly stage?: (ColorStage & { readonly color: Color }) | undefined;

  /** @default - traffic stays where it is */
  readonly activate?: Color;
}

/** All stacks of an environment, in the order in which they can be deployed. */
export function addStacks(app: App, { stage, activate, ...props }: EnvironmentStacksProps): void {
  const platform = new PlatformStack(app, props);
  const colors = COLORS.map((color) => {
    const stack = new ColorStack(app, { ...props, color, stage: stage?.color === color ? stage : undefined });
    stack.addDependency(platform);
    return stack;
  });
  const traffic = new TrafficStack(app, { ...props, activate });
  for (const stack of [platform, ...colors]) traffic.addDependency(stack);
  app.node.addValidation({
    validate: () =>
      activate !== undefined && stage?.color === activate
        ? [`'${activate}' is both staged and activated: a version takes traffic only after it was verified`]
        : [],
  });
}
