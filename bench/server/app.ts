import { parseArgs } from "node:util";
import { run } from "../../app/src/run.ts";
import { callTool } from "../../app/src/tools/call-tool.ts";
import { TOOLS } from "./tools.ts";

const { values } = parseArgs({ options: { "per-request": { type: "boolean", default: false } } });

/**
 * The app with the thirty tools in place of its own. With `--per-request` they are registered as the bare server does it, their
 * schemas converted whenever a request needs them, and all else is the app's.
 */
await run(
  values["per-request"]
    ? {
        tools: () => [],
        register: (server) => {
          for (const tool of TOOLS) {
            server.registerTool(tool.name, tool, (args, { mcpReq: { signal } }) =>
              callTool(tool, args, { client: "", signal, progress: () => undefined }, String),
            );
          }
        },
      }
    : { tools: () => TOOLS },
);
