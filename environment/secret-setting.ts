/**
 * Recognizes a plain setting that looks like a secret. Plain settings are readable in Terraform's states and plans, in a
 * ConfigMap and in every pod template.
 */

/** Names that end like this hold a secret, unless the value cannot be one. `PAT` is a word of its own, as in `GITHUB_PAT`. */
const NAME =
  /(?<ending>password|secret|credential|token|dsn|(?:api|access|private|signing|encryption|state)[_.-]?key)$|(?:^|[_.-])(?<word>pat)$/i;

/** Values that are no secret, whatever their name says. */
const PLAIN = [
  /^$/,
  /^(?:true|false|yes|no|on|off)$/i,
  /^[+-]?\d+(?:[._]\d+)*$/,
  /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w))+$/,
  /^(?:~|\.{1,2})?(?:\/[\w.@-]+)+\/?$/,
];

/** A variable that Kubernetes puts in the place of its name: the way to build a value from a referenced secret. */
const EXPANDED = String.raw`\$\([A-Za-z_]\w*\)`;
const REFERENCE = new RegExp(`^${EXPANDED}$`);

/** What gives a value away, and how to call it. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(String.raw`[a-z][a-z0-9+.-]*://[^\s/:@?#]*:(?!${EXPANDED}@)[^\s/@]+@`, "i"),
    "it is a URL with a password",
  ],
  [/-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/, "it is a private key"],
  [/(?:^|[\s,;"{])(?:proxy-)?authorization"?\s*[:=]\s*(?!\s*\w*\s*\$\()\S/i, "it is an authorization header"],
  [
    /(?:^|[,;=]\s*)(?:bearer|basic|token)(?:\s|%20)+(?=\S*[\d=_.-])[\w.~+/=-]{8,}\s*$/i,
    "it is an authorization header",
  ],
];

/** The prefixes of tokens, by who issues them. */
const TOKENS: readonly (readonly [RegExp, string])[] = [
  [/(?:gh[oprsu]_|github_pat_)\w{16,}/, "GitHub"],
  [/glpat-[\w-]{16,}/, "GitLab"],
  [/xox[abeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}/, "Slack"],
  [/(?:sk|rk)_(?:live|test)_\w{10,}/, "Stripe"],
  [/sk-(?:ant-|proj-)?[\w-]{16,}/, "an AI provider"],
  [/(?:AKIA|ASIA)[A-Z0-9]{16}/, "AWS"],
  [/AIza[\w-]{30,}|ya29\.[\w-]{16,}/, "Google"],
  [/gl(?:sa|c)_\w{16,}/, "Grafana"],
  [/hf_[A-Za-z0-9]{16,}/, "Hugging Face"],
  [/npm_[A-Za-z0-9]{30,}/, "npm"],
  [/pypi-[\w-]{16,}/, "PyPI"],
  [/dckr_pat_[\w-]{16,}/, "Docker"],
  [/do[opr]_v1_[0-9a-f]{16,}/, "DigitalOcean"],
  [/SG\.[\w-]{16,}\.[\w-]{16,}/, "SendGrid"],
  [/shp(?:at|ca|pa|ss)_[0-9a-fA-F]{16,}/, "Shopify"],
  [/hv[sb]\.[\w-]{16,}/, "Vault"],
  [/eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/, "an identity provider (a JSON Web Token)"],
];

/** Why a value looks like a secret, whatever its name is; never with the value. */
export function secretValue(value: string): string | undefined {
  const [, reason] = VALUES.find(([pattern]) => pattern.test(value)) ?? [];
  if (reason !== undefined) return reason;
  const [, issuer] =
    TOKENS.find(([pattern]) => new RegExp(`(?<![A-Za-z0-9_-])(?:${pattern.source})`).test(value)) ?? [];
  return issuer === undefined ? undefined : `it has the prefix of a token of ${issuer}`;
}

/** Why a setting looks like a secret; never with its value. */
export function secretSetting(name: string, value: string): string | undefined {
  const reason = secretValue(value);
  if (reason !== undefined) return reason;
  const { ending, word } = NAME.exec(name)?.groups ?? {};
  const found = ending ?? word;
  if (found === undefined || REFERENCE.test(value) || PLAIN.some((pattern) => pattern.test(value))) return undefined;
  return `its name ends in '${found}'`;
}
