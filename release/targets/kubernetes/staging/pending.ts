import { z } from "zod";
import { SETTINGS_ANNOTATION } from "../../../../environment/names.ts";
import type { Color } from "../../../../environment/color.ts";
import type { PendingChange } from "../../../ports/staging.ts";
import { settingsDifference } from "../../settings-difference.ts";
import type { KubeApi, KubeObject } from "../api/kube-api.ts";
import { attempt } from "../attempt.ts";

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const settingsSchema = z.record(z.string(), z.string());

/** The settings that the last deploy wants of pods, and the live ones do not have. */
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
  return settingsDifference(parsed(annotation), settings?.data ?? {});
}

/** An annotation that another program wrote is no reason to fail: all wanted settings are pending then. */
function parsed(annotation = "{}"): Readonly<Record<string, string>> {
  try {
    return settingsSchema.parse(JSON.parse(annotation));
  } catch {
    return {};
  }
}
