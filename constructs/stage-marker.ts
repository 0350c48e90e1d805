import { Lazy, TerraformResource } from "cdktf";
import { Construct } from "constructs";

/** The release that stages, as far as Terraform must know it. */
export interface ReleaseStage {
  /** Identifies the stage in the pods that it creates. */
  readonly mark: string;

  /** The epoch of the lease that the release holds: the fence of what it writes. */
  readonly epoch: number;
}

export interface StageMarkerProps {
  /** Whether this synth stages. Otherwise the marker keeps its value. @default false */
  readonly staged?: boolean;

  /** @default - an operator stages, if anybody */
  readonly release?: ReleaseStage | undefined;
}

/**
 * A value in a color's state that changes with each plan of a stage.
 *
 * A data source that depends on it is read during the apply instead of during the plan, because its value is pending then.
 *
 * @see https://developer.hashicorp.com/terraform/language/data-sources#dependencies
 */
export class StageMarker extends Construct {
  readonly resource: TerraformResource;
  readonly #release: ReleaseStage | undefined;

  constructor(scope: Construct, id: string, { staged = false, release }: StageMarkerProps) {
    super(scope, id);
    this.#release = release;
    this.resource = new TerraformResource(this, "stage", {
      terraformResourceType: "terraform_data",
      lifecycle: staged ? undefined : { ignoreChanges: ["input"] },
    });
    const by = release === undefined ? "operator" : inputOf(release);
    this.resource.addOverride("input", staged ? `${by}/${PLANNED_AT}` : "none");
  }

  /** Its address in the stack. Known when the stack is synthesized: until then its logical id may be overridden. */
  get address(): string {
    return `${this.resource.terraformResourceType}.${this.resource.friendlyUniqueId}`;
  }

  /**
   * A condition that holds while an expression, the epoch of an object, is that of the release.
   *
   * The output of the marker is unknown while its change is pending. That makes the whole condition unknown in the plan,
   * where the annotations of an object that is not read yet are a known null.
   */
  conditionOn(epoch: () => string): { readonly condition: string; readonly errorMessage: string } | undefined {
    if (this.#release === undefined) return undefined;
    const expected = String(this.#release.epoch);
    const staged = `${inputOf(this.#release)}/`;
    return {
      condition: Lazy.stringValue({
        produce: () => `\${startswith(${this.address}.output, "${staged}") ? ${epoch()} == "${expected}" : false}`,
      }),
      errorMessage: `another command has taken the release lease over since epoch ${expected}: nothing was staged`,
    };
  }
}

/** Makes the value pending in every plan of a stage, also where an earlier apply wrote the marker and then failed. */
const PLANNED_AT = "${plantimestamp()}";

const inputOf = ({ mark, epoch }: ReleaseStage) => `${mark}/epoch ${epoch}`;
