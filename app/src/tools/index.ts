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

/** Every tool, in the order of the list. A new tool is a new file and a line here. */
export function createTools(services: Services): readonly Tool[] {
  const { weather, outbound, pools, limiter, store, breakers, history } = services;
  return [
    getWeatherWithFallback(weather),
    resilientApiCall(outbound),
    retryApiCall(outbound),
    loadBalancedRequest(pools),
    rateLimitedOperation(limiter),
    asyncBatchRequests(outbound),
    asyncParallelProcessing(),
    cachedExpensiveOperation(services),
    storeDataResilient(store),
    getData(store),
    breakerControl(breakers, history),
    updateWeight(services),
    healthCheck(services),
    simpleHealth(),
  ];
}
