import { z } from "zod";
import { imageProblem } from "./image.ts";
import { canonicalQuantity, isQuantity } from "./quantity.ts";
import { shown } from "./shown.ts";

/**
 * The texts that the API of Kubernetes accepts, each with what to write instead of one that it refuses.
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */

interface Pattern {
  readonly regex: RegExp;
  /** Characters, at most. */
  readonly longest: number;
  /** Completes "… is not". */
  readonly what: string;
  /** What was probably meant. */
  readonly repair: (text: string) => string;
}

const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const lowerCase = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
const dashed = (text: string) => lowerCase(text).replaceAll(".", "-");
const inLabels = (text: string) => text.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");

const PATTERNS = {
  dnsLabel: {
    regex: new RegExp(`^${LABEL}$`),
    longest: 63,
    what: "a DNS label: lower-case letters, digits and '-', with a letter or digit at both ends",
    repair: dashed,
  },
  label1035: {
    regex: /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
    longest: 63,
    what: "a name: lower-case letters, digits and '-', with a letter first",
    repair: (text) => dashed(text).replace(/^[0-9-]+/, ""),
  },
  subdomain: {
    regex: new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
    longest: 253,
    what: "an object's name: lower-case letters, digits, '-' and '.'",
    repair: lowerCase,
  },
  qualifiedName: {
    regex: new RegExp(
      `^(?:(?=.{1,253}/)${LABEL}(?:\\.${LABEL})*/)?(?=[^/]{1,63}$)[A-Za-z0-9](?:[-\\w.]*[A-Za-z0-9])?$`,
    ),
    longest: 317,
    what: "a key of labels or annotations, such as 'team' or 'example.com/team'",
    repair: (text) => text.split("/").slice(-2).map(inLabels).join("/"),
  },
  labelValue: {
    regex: /^(?:[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?)?$/,
    longest: 63,
    what: "a label's value: letters, digits, '-', '_' and '.', with a letter or digit at both ends",
    repair: inLabels,
  },
  variableName: {
    regex: /^[A-Za-z_]\w*$/,
    longest: 253,
    what: "an environment variable's name: letters, digits and '_', with no digit first",
    repair: (text) => text.replaceAll(/\W+/g, "_").replace(/^(?=\d)/, "_"),
  },
} as const satisfies Readonly<Record<string, Pattern>>;

function textOf({ regex, longest, what, repair }: Pattern) {
  const fits = (text: string) => regex.test(text) && text.length <= longest;
  return z.string().refine(fits, {
    error: ({ input }) => {
      const text = String(input);
      if (text.length > longest) return `'${text.slice(0, 40)}…' has ${text.length} characters, at most ${longest} fit`;
      const instead = repair(text);
      return `'${text}' is not ${what}${fits(instead) && instead !== "" ? `: write '${instead}'` : ""}`;
    },
  });
}

/** The name of a namespace, port or container. */
export const dnsLabel = textOf(PATTERNS.dnsLabel);

/** The name of a Service, and of what is named after one. */
export const label1035 = textOf(PATTERNS.label1035);

/** The name of a Secret, ConfigMap, claim, service account and most other objects; also a host name. */
export const subdomain = textOf(PATTERNS.subdomain);

/** The key of a label or annotation. */
export const qualifiedName = textOf(PATTERNS.qualifiedName);

export const labelValue = textOf(PATTERNS.labelValue);

/** In any case: programs have variables such as `http_proxy` and `PrefixCase`. */
export const variableName = textOf(PATTERNS.variableName);

/** A quantity such as `250m` or `1Gi`; it becomes what the API writes back. */
export const quantity = z
  .string()
  .refine(isQuantity, {
    error: ({ input }) => `'${String(input)}' is not a quantity: ${quantityInstead(String(input))}`,
  })
  .transform(canonicalQuantity);

function quantityInstead(text: string): string {
  const { number, unit = "" } = /^\s*(?<number>\d*\.?\d+)\s*(?<unit>[a-zA-Z]*)\s*$/.exec(text)?.groups ?? {};
  const [letter = ""] = unit.toUpperCase();
  if (number === undefined || !"KMGTPE".includes(letter) || letter === "") return "write '250m', '2', '512Mi' or '1Gi'";
  const decimal = `${number}${letter === "K" ? "k" : letter}`;
  return `write '${number}${letter}i' (powers of 1024) or '${decimal}' (powers of 1000)`;
}

/** An image, with a tag, a digest or both. */
export const ociReference = z.string().superRefine((text, context) => {
  const problem = imageProblem(text, "any");
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** A port's number. */
export const portNumber = z.number().int().min(1).max(65535);

/** Addresses, such as `10.0.0.0/16`. */
export const cidr = z.union([z.cidrv4(), z.cidrv6()], {
  error: ({ input }) => `must be an address range such as '10.0.0.0/16', not ${shown(input)}`,
});

/** A whole number above 0. */
export const count = z.number().int().positive();
