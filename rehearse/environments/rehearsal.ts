import { z } from "zod";
import { environment, type Environment, type EnvironmentInput } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import { cityNamed } from "../weather/cities.ts";
import { conditionsAt } from "../weather/conditions.ts";

/** Where the weather stand-in listens; the rehearsal sets them for the host and for every release command. */
export const GEOCODING_URL = "REHEARSAL_GEOCODING_URL";
export const FORECAST_URL = "REHEARSAL_FORECAST_URL";

export interface Pace {
  readonly name: string;
  readonly bake: Partial<EnvironmentInput["release"]["bake"]>;
  readonly breakerRecovery: string;
}

/** More than in `local`: clients, both colors and whatever else this machine does share its cores here. */
const MAX_P95_MS = 500;

/**
 * The environment `local`, in shorter times: the gates are the ones of a real release, only nobody wants to watch one for an
 * hour. The stand-in's weather is known, so the smoke gate can ask for the truth.
 */
export function rehearsal({ name, bake, breakerRecovery }: Pace): Environment {
  const { release } = local;
  return environment({
    ...local,
    name,
    app: {
      ...local.app,
      settings: {
        AUTH_MODE: "off",
        LOG_LEVEL: "info",
        WEATHER_GEOCODING_URL: process.env[GEOCODING_URL] ?? "http://127.0.0.1:1/v1/search",
        WEATHER_FORECAST_URL: process.env[FORECAST_URL] ?? "http://127.0.0.1:1/v1/forecast",
        CONNECTION_MAX_AGE: "2s",
        CB_FAILURE_THRESHOLD: "5",
        CB_RECOVERY_TIMEOUT: breakerRecovery,
        CB_TIMEOUT: "2s",
      },
    },
    release: {
      ...release,
      smoke: { tool: "get_weather_with_fallback", arguments: { city: "Berlin" }, expect: berlin },
      metrics: { ...release.metrics, maxP95Ms: MAX_P95_MS },
      bake: { ...release.bake, ...bake, maxP95Ms: MAX_P95_MS },
    },
  });
}

const { latitude, longitude } = cityNamed("Berlin") ?? { latitude: 0, longitude: 0 };

const berlin = z.object({
  city: z.literal("Berlin"),
  temperatureCelsius: z.literal(conditionsAt(latitude, longitude).temperatureCelsius),
  source: z.literal("live"),
});
