import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SETTINGS_ANNOTATION } from "../../../../environment/names.ts";
import { UsageError } from "../../../errors.ts";

const annotations = z.looseObject({ metadata: z.looseObject({ annotations: z.record(z.string(), z.string()) }) });

const stackSchema = z.looseObject({
  resource: z.looseObject({
    kubernetes_deployment_v1: z.record(
      z.string(),
      z.looseObject({
        metadata: z.looseObject({ name: z.string() }),
        spec: z.looseObject({ template: annotations }),
      }),
    ),
  }),
});

/**
 * The settings that pods of a Deployment will have, from a stack that was synthesized and not deployed yet.
 *
 * @param folder that of the stack, with its `cdk.tf.json`
 * @throws UsageError if the stack has no such Deployment
 */
export async function synthesizedSettings(folder: string, deployment: string): Promise<unknown> {
  const stack = stackSchema.safeParse(JSON.parse(await readFile(join(folder, "cdk.tf.json"), "utf8")));
  const found = Object.values(stack.data?.resource.kubernetes_deployment_v1 ?? {}).find(
    ({ metadata }) => metadata.name === deployment,
  );
  const text = found?.spec.template.metadata.annotations[SETTINGS_ANNOTATION];
  if (text === undefined) {
    throw new UsageError(`the stack in '${folder}' has no Deployment '${deployment}' with settings of this kit`);
  }
  return JSON.parse(evaluated(text));
}

/** What Terraform makes of a text whose templates are all escaped. */
const evaluated = (text: string) => text.replaceAll(/([$%])\1(?=\{)/g, "$1");
