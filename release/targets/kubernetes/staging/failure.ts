import { StateChanged, TargetRefused, TargetUnreachable, type RefusalKind } from "../../../errors.ts";

const MAX_MESSAGE = 2000;

/** A precondition of the Deployment did not hold during the apply. The caller reads which one. */
export class PreconditionFailed extends Error {
  override readonly name = "PreconditionFailed";
}

const UNREACHABLE =
  /connection (refused|reset)|no such host|i\/o timeout|TLS handshake|deadline exceeded|: EOF|Too Many Requests|Unauthorized|the server is currently unable/i;

const REFUSALS: readonly (readonly [RegExp, RefusalKind])[] = [
  [/exceeded quota/, "quota"],
  [/denied (the )?request|admission webhook|ValidatingAdmissionPolicy/, "policy"],
  [/\bcannot \w+ resource\b|is forbidden/, "forbidden"],
];

/** The error of a release that says the same as the output of a program that failed. */
export function failureOf(what: string, output: string, env: NodeJS.ProcessEnv): Error {
  const text = withoutSecrets(unframed(output), env);
  const [, errors = text] = /(Error: .*)/.exec(text) ?? [];
  const message = `'${what}' failed: ${errors === "" ? "it printed nothing" : errors.slice(0, MAX_MESSAGE)}`;
  if (text.includes("Error acquiring the state lock")) return lockHeld(text);
  if (text.includes("Saved plan is stale")) {
    return new StateChanged("the plan of this stage is stale: something else has changed the state of its stack");
  }
  if (text.includes("Resource precondition failed")) return new PreconditionFailed(message);
  if (UNREACHABLE.test(errors)) return new TargetUnreachable(message);
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
