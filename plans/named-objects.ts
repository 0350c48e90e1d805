/** An object of its namespace that a pod needs to start, or that it mounts. */
export interface NamedObject {
  readonly kind: "Secret" | "ConfigMap" | "PersistentVolumeClaim" | "ServiceAccount";
  readonly name: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** A field of a pod that names an object: its kind, and the field with the name. */
const NAMING: Readonly<Record<string, readonly [NamedObject["kind"], ...string[]]>> = {
  secret_key_ref: ["Secret", "name"],
  secret_ref: ["Secret", "name"],
  image_pull_secrets: ["Secret", "name"],
  node_publish_secret_ref: ["Secret", "name"],
  // A volume has `secretName`, and a source of a projected volume `name`.
  secret: ["Secret", "secret_name", "name"],
  config_map_key_ref: ["ConfigMap", "name"],
  config_map_ref: ["ConfigMap", "name"],
  config_map: ["ConfigMap", "name"],
  persistent_volume_claim: ["PersistentVolumeClaim", "claim_name"],
};

/**
 * The Secrets, ConfigMaps, claims and service accounts that the pods of a Deployment name, each once.
 *
 * @param deployment in Terraform's JSON, or in that of the Kubernetes API; any part of it, such as its pod template
 */
export function namedObjects(deployment: unknown): readonly NamedObject[] {
  const found = new Map<string, NamedObject>();
  for (const object of walk(deployment)) found.set(`${object.kind}/${object.name}`, object);
  return [...found.values()].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

export const keyOf = ({ kind, name }: NamedObject): string => `${kind}/${name}`;

function walk(value: unknown): NamedObject[] {
  if (Array.isArray(value)) return value.flatMap(walk);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]: [string, unknown]) => {
    const field = snakeCase(key);
    if (field === "service_account_name" && isName(part)) return [{ kind: "ServiceAccount", name: part }];
    const naming = NAMING[field];
    return [...(naming === undefined ? [] : blocks(part).flatMap((block) => named(naming, block))), ...walk(part)];
  });
}

function named([kind, ...fields]: readonly [NamedObject["kind"], ...string[]], block: Fields): NamedObject[] {
  const values = Object.entries(block).filter(([key]) => fields.includes(snakeCase(key)));
  return values.flatMap(([, name]) => (isName(name) ? [{ kind, name }] : []));
}

/** Terraform has a list where the API has an object. */
const blocks = (value: unknown): readonly Fields[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is Fields => typeof one === "object" && one !== null);

const snakeCase = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Terraform writes an empty text, or null, for a name that is not set. */
const isName = (value: unknown): value is string => typeof value === "string" && value !== "";
