import { z } from "zod";
import type { Color } from "../../../../environment/color.ts";
import { deletionsInUse, inWords as deletionInWords } from "../../../../plans/deletions.ts";
import { planSchema, type Plan, type ResourceChange } from "../../../../plans/plan.ts";
import { UsageError } from "../../../errors.ts";

const objectSchema = z
  .looseObject({
    metadata: z.array(z.looseObject({ name: z.string().optional(), namespace: z.string().nullish() })).optional(),
    spec: z.array(z.looseObject({ min_replicas: z.number().nullish() })).optional(),
  })
  .nullish();

/**
 * Reads the output of `terraform show -json`.
 *
 * @throws UsageError if it is none, for instance because a wrapper of Terraform prints more. The output may hold secrets.
 */
export function readPlan(output: string): Plan {
  const { success, data } = planSchema.safeParse(parsed(output));
  if (success) return data;
  const [command = ""] = /^\[command\]\S*/.exec(output) ?? [];
  const printed = output.trim() === "" ? "nothing" : command === "" ? "something else" : `'${command} …'`;
  throw new UsageError(
    `'terraform show -json' printed ${printed} instead of a plan in JSON; run Terraform itself and no wrapper of it: ` +
      "with the GitHub action hashicorp/setup-terraform, set 'terraform_wrapper: false'",
  );
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const DEPLOYMENT = "kubernetes_deployment_v1";
const AUTOSCALER = "kubernetes_horizontal_pod_autoscaler_v2";
const STAGE = "terraform_data.stage";

/** Short names, as kubectl has them. */
const SHORT: Readonly<Record<string, string>> = {
  [DEPLOYMENT]: "deployment",
  [AUTOSCALER]: "hpa",
  kubernetes_pod_disruption_budget_v1: "pdb",
  kubernetes_service_v1: "service",
};

export interface Expected {
  readonly stack: string;
  readonly namespace: string;
  /** The color that is staged, and the name of its Deployment and its autoscaler. */
  readonly color: Color;
  readonly name: string;
}

/** A plan that may be applied, or the addresses that another plan has to be limited to. */
export type Verdict = { readonly apply: true } | { readonly apply: false; readonly targets: readonly string[] };

/**
 * Holds a plan to the rules of a stage: it changes the Deployment of one color, and the `terraform_data` that makes
 * Terraform read the live Service during the apply. Nothing else.
 *
 * An autoscaler whose minimum a release has raised differs from the environment, and an apply would lower it. Then the
 * plan has to be made again, limited to the two. That is sound because neither of them depends on the autoscaler.
 *
 * @throws UsageError naming every other change; and first those that a deploy must not make either
 */
export function judge(plan: Plan, expected: Expected): Verdict {
  const { resource_changes: resources } = plan;
  const deletions = deletionsInUse([plan]);
  if (deletions.length > 0) throw new UsageError(deletions.map(deletionInWords).join("; "));
  const changes = resources.filter(({ change }) => !change.actions.every((action) => action === "no-op"));
  const others = changes.filter((change) => !isStaged(change, expected) && !isGuard(change));
  const foreign = others.filter((change) => !isRaisedMinimum(change, expected.name));
  if (foreign.length > 0) {
    const list = foreign.map(inWords).join(", ");
    throw new UsageError(`${list}; run 'cdktf deploy ${expected.stack}' first`);
  }
  if (others.length === 0) return { apply: true };
  const deployments = resources.filter(({ mode, type }) => mode === "managed" && type === DEPLOYMENT);
  return { apply: false, targets: [...deployments.map(({ address }) => address), STAGE] };
}

function isStaged(resource: ResourceChange, { name, namespace }: Expected): boolean {
  const { mode, type, change } = resource;
  const isWrite = change.actions.length === 1 && ["create", "update"].includes(change.actions[0] ?? "");
  if (mode !== "managed" || type !== DEPLOYMENT || !isWrite) return false;
  const metadata = metadataOf(change.after);
  return metadata?.name === name && metadata.namespace === namespace;
}

function isGuard({ mode, type, address, change }: ResourceChange): boolean {
  const [action = ""] = change.actions;
  if (change.actions.length !== 1) return false;
  if (mode === "data") return type === "kubernetes_service_v1" && action === "read";
  return address === STAGE && ["create", "update"].includes(action);
}

/** Whether an autoscaler differs by a higher minimum, and by nothing else. */
function isRaisedMinimum({ type, change }: ResourceChange, name: string): boolean {
  if (type !== AUTOSCALER || change.actions.join() !== "update") return false;
  const before = objectSchema.safeParse(change.before).data;
  const after = objectSchema.safeParse(change.after).data;
  const [raised, wanted] = [before?.spec?.[0]?.min_replicas, after?.spec?.[0]?.min_replicas];
  if (typeof raised !== "number" || typeof wanted !== "number" || raised <= wanted) return false;
  if (before?.metadata?.[0]?.name !== name) return false;
  return same(withoutMinimum(before), withoutMinimum(after));
}

/** The API server counts writes here; a plan shows these as unknown or as they were. */
const COUNTED = ["generation", "resource_version"];

const withoutMinimum = (object: z.output<typeof objectSchema>) => ({
  ...object,
  metadata: object?.metadata?.map((part) => omit(part, COUNTED)),
  spec: object?.spec?.map((part) => omit(part, ["min_replicas"])),
});

const omit = (object: object, names: readonly string[]) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** The two sides of a plan have their keys in the same order. */
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function inWords({ address, type, change }: ResourceChange): string {
  const name = metadataOf(change.before)?.name ?? metadataOf(change.after)?.name;
  const what = name === undefined ? `'${address}'` : `'${SHORT[type] ?? type} ${name}'`;
  return `${what} differs from the environment (${change.actions.join(" and ")})`;
}

const metadataOf = (object: unknown) => objectSchema.safeParse(object).data?.metadata?.[0];
