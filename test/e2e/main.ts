import { parseArgs } from "node:util";
import { namespaceExists, reachable } from "./cluster.ts";
import { removeRedis } from "./redis.ts";
import { STEPS } from "./steps.ts";
import { destroy, missingProvider } from "./terraform.ts";

const HELP = `Usage: KUBECONFIG=<file> npm run e2e -- [options]

Deploys environment 'local' with cdktf, with a node port, to a real cluster: that of the current context. Releases to it
under load, and destroys it again. Node ports of the cluster must answer on 127.0.0.1.

  --keep   leave everything deployed when a step fails
  --help

Environment: E2E_DOCKER (the Docker client, default docker), E2E_BUILD_ARGS (more arguments for docker build),
E2E_LOAD_IMAGE (a command that takes an image's name and loads it into the cluster, such as 'kind load docker-image'),
E2E_REDIS_IMAGE (a Redis that the cluster can run, default the one of Docker Hub). Steps that need one of these are skipped
without it: E2E_STOP_API and E2E_START_API (shell commands that kill the API server, which is on this machine, and bring it
back), E2E_CLIENT_CA (path, without .crt and .key, of the authority that the API server trusts for clients).

Exit code 0 when every step passed, or when there was nothing to run them with, which the last line says; 1 when one failed.
`;

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});

process.exitCode = values.help ? help() : await main();

function help(): number {
  process.stdout.write(HELP);
  return 0;
}

async function main(): Promise<number> {
  if (!(await reachable())) return refuse("no cluster answers; set KUBECONFIG to one that kubectl can reach");
  if (await namespaceExists()) {
    return refuse(
      "environment 'local' is deployed on this cluster already; remove it first: npx cdktf destroy 'local-*'",
    );
  }
  const missing = await missingProvider();
  if (missing !== undefined) {
    say(`skipped: Terraform cannot get its kubernetes provider here (${missing.trim()}).`);
    say("To run it: let terraform reach its registry, or put the provider into ~/.terraform.d/plugins.");
    return summary(0, 0, STEPS.length);
  }

  let skipped = 0;
  let passed = 0;
  for (const [index, { name, needs = [], run }] of STEPS.entries()) {
    const start = performance.now();
    const lacking = needs.filter((variable) => process.env[variable] === undefined);
    if (lacking.length > 0) {
      say(`          skip  ${name}\n                set ${lacking.join(" and ")} to run it: see --help`);
      skipped += 1;
      continue;
    }
    try {
      const seen = await run();
      say(`${seconds(start)}  ok    ${name}\n                ${seen}`);
      passed += 1;
    } catch (error) {
      say(`${seconds(start)}  FAIL  ${name}\n${error instanceof Error ? error.message : String(error)}`);
      if (!values.keep)
        await Promise.all([destroy(), removeRedis()]).catch((error: unknown) => {
          say(`could not clean up: ${String(error)}`);
        });
      return summary(passed, 1, skipped + STEPS.length - index - 1);
    }
  }
  return summary(passed, 0, skipped);
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 2;
}

function summary(passed: number, failed: number, skipped: number): number {
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`.padStart(8);
}
