/**
 * What the autoscalers scale on. These are the names of metrics of pods: whatever serves, draws or watches them takes them from
 * here.
 */
export const SCALING_METRICS = {
  /** MCP requests per second that a pod answers. Proportional to the number of pods, so scaling on it converges. */
  requestRate: "mcp_requests_per_second",

  /**
   * `min(p95 / objective, 2)`: 1 when a pod is at its latency objective. Capped, so that one slow minute at most doubles a color,
   * and counted only above a floor of traffic, since a quantile over no requests is no number.
   */
  latencyPressure: "mcp_latency_pressure",
} as const;

/** Up at once: a queue that has formed is latency that users already see. */
export const SCALE_UP = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policy: [
    { type: "Percent", value: 100, periodSeconds: 15 },
    { type: "Pods", value: 4, periodSeconds: 15 },
  ],
};

/** Down after five quiet minutes: a pod that is kept costs cents, one that is missing costs a page. */
export const SCALE_DOWN = {
  stabilizationWindowSeconds: 300,
  selectPolicy: "Max",
  policy: [{ type: "Percent", value: 50, periodSeconds: 60 }],
};
