import { set, svg } from "./dom.ts";

/** A stream of dots along a path: the more of the traffic takes it, the stronger. */
export function createFlow(kind: string, path: string) {
  const dots = svg("path", { d: path, class: "flow-dots" });
  const element = svg("g", { class: `flow ${kind}` }, svg("path", { d: path, class: "flow-bed" }), dots);
  return {
    element,
    /** @param share of all calls, 0 to 1 */
    show(share: number): void {
      set(element, { "data-flowing": String(share > 0.01) });
      set(dots, { "stroke-width": (share > 0 ? 3 + 4 * Math.sqrt(share) : 0).toFixed(1) });
    },
  };
}
