import { CliCommand } from "../../cli/command.ts";
import { debugOption } from "../../cli/options.ts";
import { run } from "../../cli/run.ts";
import type { RunOptions } from "./run.ts";

const e2e = new CliCommand("npm run e2e --")
  .description(
    "Deploys environment 'local' with cdktf, with a node port, to a real cluster: that of the current context. Releases to " +
      "it under load, and destroys it again. Node ports of the cluster must answer on 127.0.0.1.",
  )
  .option("--keep", "leave everything deployed when a step fails", false)
  .option("--only <text>", "run only steps whose names contain this, between deploy and destroy")
  .addOption(debugOption())
  .variables({
    KUBECONFIG: "the cluster, as for kubectl",
    E2E_DOCKER: "the Docker client (default: docker)",
    E2E_BUILD_ARGS: "more arguments for docker build",
    E2E_LOAD_IMAGE:
      "a command that takes an image's name and loads it into the cluster, such as 'kind load docker-image'",
    E2E_REDIS_IMAGE: "a Redis that the cluster can run (default: the one of Docker Hub)",
    E2E_STOP_API: "shell command that kills the API server, which is on this machine",
    E2E_START_API: "shell command that starts the API server again",
    E2E_NEIGHBORS: "1 to deploy other programs beside the app, too",
    E2E_INGRESS_URL: "where an Ingress controller answers on this machine",
    E2E_INGRESS_CLASS: "its class (default: traefik)",
    E2E_PAUSE_IMAGE: "an image with a static /bin/busybox (default: the one of Docker Hub)",
    E2E_PYTHON_IMAGE: "a base image with Python and pip",
    E2E_CLIENT_CA: "path, without .crt and .key, of the authority that the API server trusts for clients",
  })
  .examples("KUBECONFIG=~/.kube/config npm run e2e", "npm run e2e -- --keep", "npm run e2e -- --only 'a standby'")
  .notes(
    "A step that needs one of these variables is skipped without it, and says so.",
    "Exit codes: 0 every step passed, or nothing could run them, which the last line says; 1 one failed; 2 wrong usage or no\n" +
      "cluster answers; 70 a fault of this command.",
  )
  .action(async (options: RunOptions) => {
    const { runSteps } = await import("./run.ts");
    process.exitCode = await runSteps(options);
  });

await run(e2e, process.argv.slice(2));
