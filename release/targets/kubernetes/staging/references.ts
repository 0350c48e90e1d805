import { z } from "zod";
import { MARK_ANNOTATION, REFERENCES_ANNOTATION } from "../../../../environment/names.ts";
import type { Color } from "../../../../environment/color.ts";
import { keyOf, namedObjects } from "../../../../plans/named-objects.ts";
import { TargetRefused } from "../../../errors.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { ChangedReference } from "../../../ports/staging.ts";
import { pointer, type KubeApi, type KubeObject, type ObjectRef } from "../api/kube-api.ts";
import { attempt } from "../attempt.ts";
import { inWords, type Fences } from "../fences.ts";

/** The content of these is read when a pod starts, and others may write it at any time. */
type Reference = ObjectRef & { readonly kind: "Secret" | "ConfigMap" };

/** The versions by `kind/name`; null for an object that did not exist. */
const recordSchema = z.object({ mark: z.string(), versions: z.record(z.string(), z.string().nullable()) });

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

interface Stage {
  readonly api: KubeApi;
  readonly fences: Fences;
  readonly color: Color;
  readonly mark: string;
  readonly fence: Fence;
  readonly progress?: ((message: string) => void) | undefined;
}

/**
 * Records on a color's Deployment which versions the Secrets and ConfigMaps have that its pods name. Their content is not
 * part of the stage, so this is all that can tell later whether it is still the same.
 *
 * A stage that is repeated keeps the record: its pods have read the earlier content. Without the right to read them it says so
 * and records nothing.
 */
export async function recordReferences(stage: Stage, signal: AbortSignal): Promise<void> {
  const { api, fences, color, mark, fence, progress } = stage;
  const deployment = await read(api, color, signal);
  if (deployment === undefined || recordOf(deployment)?.mark === mark) return;
  const object = { kind: "Deployment", name: deployment.metadata.name } as const;
  try {
    const versions = await versionsOf(api, referencesOf(deployment), signal);
    const value = JSON.stringify({ mark, versions });
    const path = `/metadata/annotations/${pointer(REFERENCES_ANNOTATION)}`;
    const write = {
      object,
      what: `record what ${color} names`,
      fence,
      operations: [{ op: "add", path, value }] as const,
    };
    await fences.write(write, signal);
  } catch (error) {
    if (!(error instanceof TargetRefused)) throw error;
    progress?.(
      `'release status' will not tell whether Secrets or ConfigMaps of ${color} have changed: ${error.message}`,
    );
  }
}

/** The objects that have another version than at the stage; none if nothing was recorded for the pods that are there. */
export async function changedReferences(
  api: KubeApi,
  color: Color,
  signal?: AbortSignal,
): Promise<readonly ChangedReference[]> {
  const deployment = await read(api, color, signal);
  const record = deployment && recordOf(deployment);
  const mark = deployment?.spec?.template?.metadata?.annotations?.[MARK_ANNOTATION];
  if (record === undefined || record.mark !== mark) return [];
  const references = Object.keys(record.versions).flatMap(referenceOf);
  const now = await versionsOf(api, references, signal).catch((error: unknown) => {
    // The right was there at the stage. The rest of a status does not depend on it.
    if (error instanceof TargetRefused) return undefined;
    throw error;
  });
  if (now === undefined) return [];
  return references.flatMap((reference): ChangedReference[] => {
    const [was, is] = [record.versions[keyOf(reference)] ?? null, now[keyOf(reference)] ?? null];
    if (was === is) return [];
    return [{ object: inWords(reference), change: is === null ? "deleted" : was === null ? "created" : "changed" }];
  });
}

const referencesOf = (deployment: Deployment): readonly Reference[] =>
  namedObjects(deployment.spec?.template).flatMap((object) => referenceOf(keyOf(object)));

function referenceOf(key: string): Reference[] {
  const [kind, name = ""] = key.split("/");
  return kind === "Secret" || kind === "ConfigMap" ? [{ kind, name }] : [];
}

async function versionsOf(api: KubeApi, references: readonly Reference[], signal?: AbortSignal) {
  const versions = references.map(async (reference) => {
    const found = await attempt(`read ${inWords(reference)}`, api.metadata(reference, signal));
    return [keyOf(reference), found?.metadata.resourceVersion ?? null] as const;
  });
  return Object.fromEntries(await Promise.all(versions)) as Record<string, string | null>;
}

async function read(api: KubeApi, color: Color, signal?: AbortSignal): Promise<Deployment | undefined> {
  const object = { kind: "Deployment", name: api.names.color(color) } as const;
  return await attempt(`read the Deployment of ${color}`, api.get<Deployment>(object, signal));
}

/** Whatever another program wrote there is no record. */
function recordOf({ metadata }: KubeObject) {
  try {
    return recordSchema.safeParse(JSON.parse(metadata.annotations?.[REFERENCES_ANNOTATION] ?? "")).data;
  } catch {
    return undefined;
  }
}
