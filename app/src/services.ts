import type { Config } from "./config.ts";
import { guarded } from "./health/guarded.ts";
import { Health } from "./health/health.ts";
import { LocalBreakerHistory, type BreakerHistory } from "./resilience/breaker-history.ts";
import { BreakerRegistry } from "./resilience/breaker-registry.ts";
import { Weather } from "./weather/weather.ts";

/** What tools and resources are made of: one of each for the whole process. */
export interface Services {
  /** Every breaker of the process. */
  readonly breakers: BreakerRegistry;
  /** What they did lately. */
  readonly history: BreakerHistory;
  readonly weather: Weather;
  readonly health: Health;
}

export function createServices(config: Config): Services {
  const breakers = new BreakerRegistry();
  const history = new LocalBreakerHistory(breakers);
  const weather = new Weather({ ...config.weather, breakers, settings: config.breakers.weather_api });
  const health = new Health(config);
  health.add(guarded(weather.breaker, { hasFallback: true }));
  return { breakers, history, weather, health };
}
