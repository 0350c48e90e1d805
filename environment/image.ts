/**
 * The grammar of image references, as Docker, containerd and the kubelet read them.
 *
 * @see https://pkg.go.dev/github.com/distribution/reference
 */

const HOST = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])`;
const REGISTRY = String.raw`${HOST}(?::[0-9]+)?`;
const COMPONENT = String.raw`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`;
const NAME = String.raw`(?:${REGISTRY}/)?${COMPONENT}(?:/${COMPONENT})*`;
const TAG = String.raw`[\w][\w.-]{0,127}`;

/** The algorithms that registries and container runtimes accept, with their exact length. */
const DIGEST = String.raw`sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}`;

const REFERENCE = new RegExp(`^(?<name>${NAME})(?::${TAG})?(?:@(?<digest>${DIGEST}))?$`);

/** Characters of the name, without tag and digest, that a registry accepts. */
const MAX_NAME = 255;

/** No reference is longer: name, tag and the longest digest. It also bounds what the grammar has to read. */
const MAX_REFERENCE = MAX_NAME + 1 + 128 + 1 + 7 + 128;

/**
 * Why an image cannot be used, if it cannot.
 *
 * @param policy `digest` accepts only images that name their content; a tag can move to another image.
 */
export function imageProblem(image: string, policy: "digest" | "any"): string | undefined {
  const shown = image.length > MAX_REFERENCE ? `${image.slice(0, 60)}…` : image;
  const found = image.length > MAX_REFERENCE ? null : REFERENCE.exec(image);
  if (found === null || (found.groups?.name ?? "").length > MAX_NAME) {
    return `'${shown}' is not an image reference such as 'registry/app:1.2.0@sha256:…'${hint(image)}`;
  }
  if (policy === "any" || found.groups?.digest !== undefined) return undefined;
  return (
    `'${shown}' is not pinned: add its digest ('…@sha256:' and 64 hex digits), ` +
    "or set imagePolicy to 'any' for images that no registry holds"
  );
}

function hint(image: string): string {
  const scheme = /^[a-z+]+:\/\//.exec(image)?.[0];
  if (scheme !== undefined) return `: remove '${scheme}'`;
  if (image.length > MAX_REFERENCE) return `: it has ${image.length} characters, at most ${MAX_REFERENCE} are possible`;
  const [named = ""] = image.split("@");
  if (named.endsWith(":")) return ": add a tag after ':', or remove it";
  const path = named.slice(named.indexOf("/") + 1).replace(/:[^:/]*$/, "");
  if (/[A-Z]/.test(path)) return `: write '${path.toLowerCase()}', a repository has no capital letters`;
  if (path.includes(":")) return ": it has more than one tag";
  if (/@(?!sha(?:256|384|512):)/.test(image)) return ": a digest begins with sha256:, sha384: or sha512:";
  if (image.includes("@")) return ": its digest is not complete";
  return "";
}
