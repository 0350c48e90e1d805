import { StateChanged, TargetRefused, TargetUnreachable, type RefusalKind } from "../../../errors.ts";

const MAX_MESSAGE = 2000;

/** A precondition of the kit did not hold during the apply: the color is live, or the lease is another command's. */
export class GuardFailed extends Error {
  override readonly name = "GuardFailed";
}

/**
 * The error messages of the preconditions in `constructs/color-deployment.ts` and `constructs/stage-marker.ts`. Terraform may
 * print the line of the configuration, too; there they are in quotes.
 */
const GUARDS =
  /(?<!")(another command has taken the release lease over since epoch|(blue|green) holds the traffic: stage the other)/;

const OUTAGES = [
  /connection (refused|reset)|broken pipe|client connection lost|no route to host|network is unreachable/,
  /no such host|server misbehaving|TLS handshake timeout|i\/o timeout|deadline exceeded|Client\.Timeout|timeout awaiting/,
  /(: |unexpected )EOF\b|Bad Gateway|Service Unavailable|Gateway Time-?out|Too Many Requests|Unauthorized/i,
  /etcdserver: |the server is currently unable|failed calling webhook|the object has been modified/,
];

const DENIED = /denied (the )?request/;

const REFUSALS: readonly (readonly [RegExp, RefusalKind])[] = [
  [/exceeded quota/, "quota"],
  [DENIED, "policy"],
  [/admission webhook|ValidatingAdmissionPolicy/, "policy"],
  [/\bcannot \w+ resource\b|is forbidden/, "forbidden"],
];

interface FailedProgram {
  /** What it printed, errors and the rest. */
  readonly output: string;
  /** Its variables, some of which are secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** @default - it ended by itself */
  readonly killedBy?: NodeJS.Signals | undefined;
}

/** The error of a release that says the same as the output of a program that failed. */
export function failureOf(what: string, { output, env, killedBy }: FailedProgram): Error {
  const text = withoutSecrets(unframed(output), env);
  const [, errors = text] = /(Error: .*)/.exec(text) ?? [];
  const printed = errors === "" ? "it printed nothing" : errors.slice(0, MAX_MESSAGE);
  if (killedBy !== undefined) return new TargetRefused("invalid", `'${what}' was killed by ${killedBy}: ${printed}`);
  const message = `'${what}' failed: ${printed}`;
  if (text.includes("Error acquiring the state lock")) return lockHeld(text);
  if (text.includes("Saved plan is stale")) {
    return new StateChanged("the plan of this stage is stale: something else has changed the state of its stack");
  }
  if (text.includes("Resource precondition failed") && GUARDS.test(text)) return new GuardFailed(message);
  // A policy may say anything.
  const isOutage = !DENIED.test(errors) && OUTAGES.some((outage) => outage.test(errors));
  if (isOutage) return new TargetUnreachable(message);
  const [, kind = "invalid"] = REFUSALS.find(([pattern]) => pattern.test(errors)) ?? [];
  return new TargetRefused(kind, message);
}

function lockHeld(text: string): TargetUnreachable {
  const field = (name: string) => new RegExp(`\\b${name}: +(.+?) +(?=[A-Z][a-z]+:|ID:|Terraform |$)`).exec(text)?.[1];
  const id = field("ID") ?? "unknown";
  return new TargetUnreachable(
    `the state of this stack is locked by ${field("Who") ?? "somebody"} since ${field("Created") ?? "an unknown time"}; ` +
      `wait until that command ends, or if it was killed run 'terraform force-unlock ${id}' in the folder of the stack`,
  );
}

/** Removes colors and frames, and joins the lines that Terraform wraps. */
const unframed = (output: string) =>
  output

    .replaceAll(/\u001b\[[0-9;]*m/g, "")
    .replaceAll(/[│╷╵]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();

/** Longer values first: one may contain another. */
function withoutSecrets(text: string, env: NodeJS.ProcessEnv): string {
  const secrets = Object.entries(env).flatMap(([name, value = ""]) => {
    const trimmed = value.replaceAll(/\s+/g, " ").trim();
    return name.startsWith("TF_VAR_") && trimmed !== "" ? [trimmed] : [];
  });
  return secrets
    .sort((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, "(secret)"), text);
}
