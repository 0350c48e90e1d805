import { MANAGED_ANNOTATION, MANAGED_BY, type Names } from "../environment/names.ts";

export interface ObjectMetadata {
  readonly name: string;

  /** @default - the object belongs to no namespace */
  readonly namespace?: string;

  /** @default - the labels of the app alone */
  readonly labels?: Readonly<Record<string, string>>;

  /** @default - ours alone */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The metadata of every object that Terraform creates: at least one label and one annotation.
 *
 * The provider ignores the keys that the configuration does not name. But the first key that it adds to an object replaces
 * the whole map, and with it what controllers and releases have written there. With one key from the start there is no
 * first key to add.
 */
export const objectMetadata = (names: Names, { name, namespace, labels = {}, annotations = {} }: ObjectMetadata) => ({
  name,
  ...(namespace !== undefined && { namespace }),
  labels: { ...names.labels, ...labels },
  annotations: { ...annotations, [MANAGED_ANNOTATION]: MANAGED_BY },
});
