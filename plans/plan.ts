import { z } from "zod";

/** The part of `terraform show -json` that is read here. */
export const planSchema = z.looseObject({
  resource_changes: z
    .array(
      z.looseObject({
        address: z.string(),
        mode: z.string(),
        type: z.string(),
        change: z.looseObject({
          actions: z.array(z.string()),
          before: z.unknown().optional(),
          after: z.unknown().optional(),
        }),
      }),
    )
    .default([]),
});

/** A saved plan of one stack, as Terraform tells it. A plan lists unchanged resources, too. */
export type Plan = z.output<typeof planSchema>;

export type ResourceChange = Plan["resource_changes"][number];

const objectSchema = z.looseObject({
  metadata: z.array(z.looseObject({ name: z.string(), namespace: z.string().nullish() })).min(1),
});

/** The name of the Kubernetes object on one side of a change; none if there is no object. */
export function nameOf(side: unknown): { readonly name: string; readonly namespace: string } | undefined {
  const [metadata] = objectSchema.safeParse(side).data?.metadata ?? [];
  return metadata && { name: metadata.name, namespace: metadata.namespace ?? "default" };
}
