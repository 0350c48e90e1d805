import { TOOL_NAMES, type ToolName } from "../config/tools.ts";
import type { Services } from "../services.ts";
import { asyncBatchRequests } from "./async-batch-requests.ts";
import { asyncParallelProcessing } from "./async-parallel-processing.ts";
import { breakerControl } from "./breaker-control.ts";
import { cachedExpensiveOperation } from "./cached-expensive-operation.ts";
import { getData } from "./get-data.ts";
import { getWeatherWithFallback } from "./get-weather-with-fallback.ts";
import { healthCheck } from "./health-check.ts";
import { loadBalancedRequest } from "./load-balanced-request.ts";
import { rateLimitedOperation } from "./rate-limited-operation.ts";
import { resilientApiCall } from "./resilient-api-call.ts";
import { retryApiCall } from "./retry-api-call.ts";
import { simpleHealth } from "./simple-health.ts";
import { storeDataResilient } from "./store-data-resilient.ts";
import type { Tool } from "./tool.ts";
import { updateWeight } from "./update-weight.ts";

/** The bundled tools with these names. A new tool is a new file, its name in config/tools.ts and a line here. */
export function createTools(services: Services, names: readonly ToolName[] = TOOL_NAMES): readonly Tool[] {
  const { weather, outbound, pools, limiter, store, breakers, history } = services;
  const tools: Readonly<Record<ToolName, () => Tool>> = {
    get_weather_with_fallback: () => getWeatherWithFallback(weather),
    resilient_api_call: () => resilientApiCall(outbound),
    retry_api_call: () => retryApiCall(outbound),
    load_balanced_request: () => loadBalancedRequest(pools),
    rate_limited_operation: () => rateLimitedOperation(limiter),
    async_batch_requests: () => asyncBatchRequests(outbound),
    async_parallel_processing: () => asyncParallelProcessing(),
    cached_expensive_operation: () => cachedExpensiveOperation(services),
    store_data_resilient: () => storeDataResilient(store),
    get_data: () => getData(store),
    breaker_control: () => breakerControl(breakers, history),
    update_weight: () => updateWeight(services),
    health_check: () => healthCheck(services),
    simple_health: () => simpleHealth(),
  };
  return names.map((name) => tools[name]());
}
