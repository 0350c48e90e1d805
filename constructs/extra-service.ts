import { ServiceV1 } from "@cdktf/provider-kubernetes/lib/service-v1/index.js";
import { Construct } from "constructs";
import type { Names } from "../environment/names.ts";
import { objectMetadata } from "./object-metadata.ts";

export interface ExtraServiceProps {
  readonly names: Names;
  readonly namespace: string;

  /** Part of the Service's name, and the name of its port. */
  readonly name: string;

  readonly port: number;

  /** A port of the pods, by name or number. */
  readonly targetPort: string | number;

  /** @default - ours alone */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Service for another port of the pods of both colors, such as that of their metrics. */
export class ExtraService extends Construct {
  readonly service: ServiceV1;

  constructor(scope: Construct, id: string, props: ExtraServiceProps) {
    super(scope, id);
    const { names, namespace, name, port, targetPort, annotations = {} } = props;
    this.service = new ServiceV1(this, "service", {
      metadata: objectMetadata(names, { name: names.service(name), namespace, annotations }),
      spec: {
        type: "ClusterIP",
        selector: { ...names.labels },
        port: [{ name: name.slice(0, 15).replace(/-+$/, ""), port, targetPort: String(targetPort), protocol: "TCP" }],
      },
    });
  }
}
