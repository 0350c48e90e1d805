import type { Construct } from "constructs";
import { AppIngress } from "../constructs/app-ingress.ts";
import { ColorService } from "../constructs/color-service.ts";
import { ExtraService } from "../constructs/extra-service.ts";
import { other, type Color } from "../environment/color.ts";
import { ENVIRONMENT_LABEL } from "../environment/names.ts";
import { EnvironmentStack, type EnvironmentStackProps } from "./environment-stack.ts";

/** The color that a new environment starts with. */
const FIRST: Color = "blue";

export interface TrafficStackProps extends EnvironmentStackProps {
  /**
   * The color that is to hold the traffic.
   *
   * @default - blue if the Service is new, otherwise the color that holds it
   */
  readonly activate?: Color;
}

/** Where clients come in: the live Service, and the one that shows a staged version before it is live. */
export class TrafficStack extends EnvironmentStack {
  readonly live: ColorService;
  readonly preview: ColorService;

  /** @default - the environment has none */
  readonly ingress: AppIngress | undefined;

  /** Services for other ports, by their names in the environment. */
  readonly services: ReadonlyMap<string, ExtraService>;

  constructor(scope: Construct, { activate, ...props }: TrafficStackProps) {
    super(scope, "traffic", props);
    const { names } = this;
    const { namespace, ingress, service, services, server } = this.environment;

    this.live = new ColorService(this, "live", {
      names,
      namespace,
      name: names.live,
      port: server.servicePort,
      color: activate ?? FIRST,
      releaseDecides: activate === undefined,
      // A release refuses the Service of another environment.
      labels: { [ENVIRONMENT_LABEL]: this.environment.name },
      ...service,
    });
    // Moved by the release that stages, and by no deploy: one that activates a color changes the live Service and nothing else.
    this.preview = new ColorService(this, "preview", {
      names,
      namespace,
      name: names.preview,
      port: server.servicePort,
      color: other(activate ?? FIRST),
      releaseDecides: true,
    });

    if (ingress !== undefined) {
      const { overlap = ingress.class?.includes("nginx") !== true } = ingress;
      this.ingress = new AppIngress(this, "ingress", {
        names,
        namespace,
        service: names.live,
        port: server.servicePort,
        ...ingress,
        overlap,
      });
    }
    this.services = new Map(
      Object.entries(services).map(([name, { port, targetPort = port, annotations }]) => {
        const props = { names, namespace, name, port, targetPort, annotations };
        return [name, new ExtraService(this, `service-${name}`, props)];
      }),
    );
  }
}
