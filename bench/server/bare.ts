import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { CallerCall } from "../../app/src/resilience/call.ts";
import { listen } from "../../app/src/server/listen.ts";
import { TOOLS } from "./tools.ts";

/**
 * The SDK's server with the thirty tools, as its documentation shows it, behind the least of HTTP that carries it: no checks, no
 * limits, no metrics, no drain.
 */
const handler = createMcpHandler(
  () => {
    const server = new McpServer({ name: "bare", version: "1.0.0" });
    for (const { name, title, description, inputSchema, outputSchema, annotations, ...tool } of TOOLS) {
      server.registerTool(name, { title, description, inputSchema, outputSchema, annotations }, (args, { mcpReq }) =>
        tool.handle(args, { call: new CallerCall(), principal: "", signal: mcpReq.signal, progress: () => undefined }),
      );
    }
    return server;
  },
  { legacy: "stateless" },
);

const server = createServer((request, response) => {
  void (async () => {
    const { method = "GET", url = "/" } = request;
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const parsedBody: unknown = method === "POST" ? JSON.parse(await text(request)) : undefined;
    const answer = await handler.fetch(new Request(`http://localhost${url}`, { method, headers }), { parsedBody });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  })();
});
const mcpPort = await listen(server, "MCP_PORT", 0, "127.0.0.1");
process.stdout.write(`${JSON.stringify({ msg: "listening", mcpPort })}\n`);
