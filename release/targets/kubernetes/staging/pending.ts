import { z } from "zod";
import { SETTINGS_ANNOTATION, WANTED_SETTINGS_KEY } from "../../../../environment/names.ts";
import type { Color } from "../../../../environment/color.ts";
import type { PendingChange } from "../../../ports/staging.ts";
import { difference, settingsDifference } from "../../settings-difference.ts";
import type { KubeApi, KubeObject } from "../api/kube-api.ts";
import { attempt } from "../attempt.ts";
import { differenceFromOld } from "./old-settings.ts";

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const flatSchema = z.record(z.string(), z.string());
const objectSchema = z.record(z.string(), z.unknown());

/**
 * The fields of the pod template that the last deploy wants, and that the live pods do not have.
 *
 * Two texts of the kit are compared and never the specs of live pods: admission rewrites those.
 */
export async function pendingChanges(
  api: KubeApi,
  live: Color,
  signal?: AbortSignal,
): Promise<readonly PendingChange[]> {
  const wanted = { kind: "ConfigMap", name: api.names.wantedSettings } as const;
  const running = { kind: "Deployment", name: api.names.color(live) } as const;
  const [settings, deployment] = await Promise.all([
    attempt("read the wanted settings", api.get<ConfigMap>(wanted, signal)),
    attempt(`read the Deployment of ${live}`, api.get<Deployment>(running, signal)),
  ]);
  const annotation = deployment?.spec?.template?.metadata?.annotations?.[SETTINGS_ANNOTATION];
  return between(annotation, settings?.data ?? {});
}

function between(staged: string | undefined, { [WANTED_SETTINGS_KEY]: json, ...data }: Record<string, string>) {
  const old = read(flatSchema, staged);
  // An earlier version of the kit made the last deploy.
  if (json === undefined) return difference(new Map(Object.entries(old ?? {})), new Map(Object.entries(data)));
  const wanted = read(objectSchema, json) ?? {};
  const isOld = old !== undefined && Object.keys(old).length > 0;
  // An annotation that another program wrote is no reason to fail: all fields are pending then.
  return isOld ? differenceFromOld(old, wanted) : settingsDifference(read(objectSchema, staged) ?? {}, wanted);
}

function read<T>(schema: z.ZodType<T>, json = ""): T | undefined {
  try {
    return schema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
