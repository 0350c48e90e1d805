import lengths from "../../../examples/fastmcp/environment.ts";
import { environment } from "../../../environment/environment.ts";
import local from "../on-node-port.ts";

const { release, server } = lengths;

/** An image with a static busybox that the cluster can run. */
const image = process.env.E2E_PAUSE_IMAGE;

/** A machine that runs the whole cluster may be slow. The server has no metrics, so few calls have to be enough. */
const limits = { maxP95Ms: 5000, maxErrorRatio: 0.1 };

/** The example's Python server in this cluster, behind its Ingress controller, with a release of some seconds. */
export default environment({
  ...lengths,
  context: local.context,
  server: { ...server, stop: { pause: "copied", ...(image !== undefined && { image }) } },
  // One node has room for a few more pods.
  app: { ...lengths.app, resources: { requests: { cpu: "50m", memory: "128Mi" } } },
  ingress: { class: process.env.E2E_INGRESS_CLASS ?? "traefik", host: "lengths.localhost" },
  release: {
    ...release,
    metrics: { ...release.metrics, ...limits, calls: 100 },
    bake: { ...release.bake, ...limits, detect: 5, durationSeconds: 30, intervalSeconds: 1 },
  },
});
