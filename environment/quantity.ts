/**
 * Kubernetes quantities, such as `250m`, `1.5Gi` or `1e3`.
 *
 * @see https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity
 */

const DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const GRAMMAR = /^(?<whole>\d+)?(?:\.(?<fraction>\d*))?(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})?$/;

/** An exact value, `numerator / denominator`, and how it was written. */
interface Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly format: "decimal" | "binary" | "exponent";
}

/** Whether the API accepts a text as a quantity that is not negative. */
export const isQuantity = (text: string): boolean => parse(text) !== undefined;

/**
 * A quantity as the API writes it back: `1000` is `1k`, `0.5` is `500m`, `1024Mi` is `1Gi`.
 *
 * Terraform compares texts, so any other form is a difference in every plan.
 *
 * @throws Error if the text is not a quantity
 */
export function canonicalQuantity(text: string): string {
  const { numerator, denominator, format } = parsed(text);
  const bytes = roundedUp(numerator, denominator);
  if (format === "binary" && bytes >= 1024n) {
    const { rest, steps } = withoutFactor(bytes, 1024n, BINARY.length - 1);
    return `${rest}${BINARY[steps]}`;
  }
  // The API keeps nothing below a billionth.
  const billionths = roundedUp(numerator * 1_000_000_000n, denominator);
  if (billionths === 0n) return "0";
  const { rest, steps } = withoutFactor(billionths, 1000n, DECIMAL.length - 1);
  if (format !== "exponent") return `${rest}${DECIMAL[steps]}`;
  return steps === 3 ? String(rest) : `${rest}e${(steps - 3) * 3}`;
}

/** A number as a quantity, as the API writes it. */
export const quantityOf = (value: number): string => canonicalQuantity(value.toFixed(9));

/**
 * Whether one quantity is more than another, in whatever form they are written.
 *
 * @throws Error if one of them is not a quantity
 */
export function isMoreThan(one: string, another: string): boolean {
  const [a, b] = [parsed(one), parsed(another)];
  return a.numerator * b.denominator > b.numerator * a.denominator;
}

function parsed(text: string): Quantity {
  const quantity = parse(text);
  if (quantity === undefined) throw new Error(`'${text}' is not a quantity`);
  return quantity;
}

function parse(text: string): Quantity | undefined {
  const { whole = "", fraction = "", suffix = "" } = GRAMMAR.exec(text)?.groups ?? {};
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(whole + fraction);
  const denominator = 10n ** BigInt(fraction.length);
  if (BINARY.includes(suffix) && suffix !== "") {
    return { numerator: digits * 1024n ** BigInt(BINARY.indexOf(suffix)), denominator, format: "binary" };
  }
  const isExponent = /^[eE]./.test(suffix);
  const power = isExponent ? Number(suffix.slice(1)) : (DECIMAL.indexOf(suffix) - 3) * 3;
  return {
    numerator: power > 0 ? digits * 10n ** BigInt(power) : digits,
    denominator: power < 0 ? denominator * 10n ** BigInt(-power) : denominator,
    format: isExponent ? "exponent" : "decimal",
  };
}

const roundedUp = (numerator: bigint, denominator: bigint) => (numerator + denominator - 1n) / denominator;

function withoutFactor(value: bigint, factor: bigint, most: number): { rest: bigint; steps: number } {
  let [rest, steps] = [value, 0];
  while (steps < most && rest % factor === 0n) [rest, steps] = [rest / factor, steps + 1];
  return { rest, steps };
}
