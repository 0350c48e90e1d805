import lengths from "../../../examples/fastmcp/environment.ts";
import { environment } from "../../../environment/environment.ts";
import local from "../on-node-port.ts";

const { release, server } = lengths;

/** An image with a static busybox that the cluster can run. */
const image = process.env.E2E_PAUSE_IMAGE;

/** A machine that runs the whole cluster may be slow. */
const maxP95Ms = 2000;

/** The example's Python server in this cluster, behind its Ingress controller, with a release of some seconds. */
export default environment({
  ...lengths,
  context: local.context,
  server: { ...server, stop: { pause: "copied", ...(image !== undefined && { image }) } },
  ingress: { class: process.env.E2E_INGRESS_CLASS ?? "traefik", host: "lengths.localhost" },
  release: {
    ...release,
    metrics: { ...release.metrics, maxP95Ms },
    bake: { ...release.bake, durationSeconds: 15, intervalSeconds: 1, maxP95Ms },
  },
});
