import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { connect, type Era } from "../../test/app/running-app.ts";

/** A measured server in a separate process. */
export interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  /** Absent for the bare server. */
  readonly adminPort: number | undefined;
}

/** One request as the official client sends it. */
export interface Recorded {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export async function start(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const env = {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    MCP_PORT: "0",
    ADMIN_PORT: "0",
    AUTH_MODE: "off",
    ...settings,
  };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, mcpPort, adminPort } = JSON.parse(line) as {
      readonly msg?: string;
      readonly mcpPort?: number;
      readonly adminPort?: number;
    };
    if (msg === "listening" && mcpPort !== undefined) return { child, port: mcpPort, adminPort };
  }
  throw new Error(`'${args.join(" ")}' ended before it was listening`);
}

export async function stop({ child }: Running): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}

/**
 * The request that the official client of an era sends, to be sent again and again without the
 * client's own cost.
 */
export async function record(port: number, era: Era, method: string): Promise<Recorded> {
  const sent: Recorded[] = [];
  const client = await connect(new URL(`http://127.0.0.1:${port}/mcp`), era, (input, init) => {
    if (typeof init?.body === "string") {
      sent.push({ headers: Object.fromEntries(new Headers(init.headers)), body: init.body });
    }
    return fetch(input, init);
  });
  if (method === "tools/list") await client.listTools();
  else await client.callTool({ name: "forecast_17", arguments: { city: "Berlin", fields: ["temperature"] } });
  await client.close();
  const found = sent.find(({ body }) => body.includes(`"${method}"`));
  if (found === undefined) throw new Error(`the client sent no ${method}`);
  return found;
}
