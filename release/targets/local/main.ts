import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { InvalidEnvironment } from "../../../environment/environment.ts";
import { loadEnvironment, UnknownEnvironment } from "../../../environment/load.ts";
import { UsageError } from "../../errors.ts";
import { homeFolder, removeAddress, writeAddress } from "./address.ts";
import { Control } from "./control.ts";
import { Host } from "./host.ts";

const HELP = `Usage: npm run local -- [options]

Runs the app on this machine as a cluster would: color blue behind a route, ready for releases to green.
In another terminal: npm run release -- run --environment local --image <bundle> --version <version>

  --environment NAME  a file in environments/, or a path to one (default: local)
  --image BUNDLE      what blue starts with (default: app/dist/main.js, made by 'npm run build')
  --port PORT         where clients connect, on 127.0.0.1; 0 for any free one (default: 8080)
  --home DIR          where the host says how to reach it (default: $BLUEGREEN_HOME or .local)
  --json              print one JSON object when it is ready
  --help
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      environment: { type: "string", default: "local" },
      image: { type: "string", default: "app/dist/main.js" },
      port: { type: "string", default: "8080" },
      home: { type: "string", default: homeFolder() },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new RangeError(`--port '${values.port}' is not a port`);
  const home = resolve(values.home);
  await mkdir(home, { recursive: true });

  const logFile = join(home, "app.log");
  const logs = createWriteStream(logFile);
  const image = resolve(values.image);
  const host = await Host.start({
    environment: await loadEnvironment(values.environment),
    image,
    port,
    log: (pod, line) => logs.write(`${pod} ${line}\n`),
  });
  if (!(await host.ready())) {
    await once(logs.end(), "finish");
    throw new UsageError(`the app at '${image}' does not start; it says why in ${logFile}`);
  }
  const token = randomBytes(32).toString("base64url");
  const control = await Control.listen(host, token);
  await writeAddress(home, { control: control.url, token, url: host.url, pid: process.pid });

  const ready = { type: "ready", url: host.url, control: control.url };
  process.stdout.write(values.json ? `${JSON.stringify(ready)}\n` : `MCP server on ${host.url} (Ctrl-C ends it)\n`);

  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  await removeAddress(home);
  await control.close();
  await host.close();
  process.exit(0);
}

/** What a user can mend gets one line; anything else is a fault of ours and keeps its trace. */
function explain(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && error.code === "EADDRINUSE") {
    return `port ${"port" in error ? String(error.port) : ""} is in use; name another one with --port, or end what listens there`;
  }
  const mendable =
    error instanceof UsageError ||
    error instanceof InvalidEnvironment ||
    error instanceof UnknownEnvironment ||
    error instanceof RangeError ||
    ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
  return mendable ? error.message : undefined;
}

try {
  await main();
} catch (error) {
  const message = explain(error);
  if (message === undefined) throw error;
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
