import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { COLORS } from "../../../../environment/color.ts";
import { releaseRecordSchema } from "../../../record.ts";
import { server } from "../../../../environment/schema/server.ts";
import { UsageError } from "../../../errors.ts";
import type { Host } from "./host.ts";

const color = z.enum(COLORS);

const epoch = z.number().int().positive();

/**
 * A command's requests to the host. Every change carries the epoch of the lease that it is made
 * under.
 */
export const requestSchema = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("look") }),
  z.strictObject({ do: z.literal("pods"), color }),
  z.strictObject({ do: z.literal("take-lease"), holder: z.string().max(200), takeOver: z.boolean().default(false) }),
  z.strictObject({ do: z.literal("renew-lease"), epoch }),
  z.strictObject({ do: z.literal("give-lease-back"), epoch }),
  z.strictObject({
    do: z.literal("stage"),
    epoch,
    color,
    image: z.string().max(4096),
    mark: z.string().max(100),
    settings: z.record(z.string(), z.string()),
    /** The description of the server that is staged. */
    server: server.optional(),
  }),
  z.strictObject({
    do: z.literal("hold"),
    epoch,
    color,
    pods: z.number().int().positive().max(20).optional(),
  }),
  z.strictObject({ do: z.literal("move-traffic"), epoch, from: color, to: color }),
  z.strictObject({ do: z.literal("end-pod"), color, pod: z.string().max(100) }),
  z.strictObject({ do: z.literal("migration"), mark: z.string().max(100) }),
  z.strictObject({
    do: z.literal("create-migration"),
    epoch,
    run: z.strictObject({
      mark: z.string().max(100),
      command: z.array(z.string()).min(1),
      environment: z.record(z.string(), z.string()),
      timeoutSeconds: z.number().positive(),
    }),
  }),
  z.strictObject({ do: z.literal("start-migration"), epoch, mark: z.string().max(100) }),
  z.strictObject({ do: z.literal("record"), epoch, release: releaseRecordSchema }),
]);

export type ControlRequest = z.input<typeof requestSchema>;

const MAX_BODY_BYTES = 64 * 1024;

/**
 * Serves a host to the commands on this machine: JSON over HTTP on the loopback interface, with a
 * token that only its owner can read.
 */
export class Control {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(host: Host, token: string): Promise<Control> {
    const server = createServer((request, response) => {
      answer(host, token, request).then(
        ({ status, body }) => {
          send(response, status, body);
        },
        (error: unknown) => {
          send(response, 500, { error: error instanceof Error ? error.message : String(error) });
        },
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Control(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answer(host: Host, token: string, incoming: IncomingMessage): Promise<Answer> {
  if (!allowed(incoming, token)) return { status: 401, body: { error: "the token is missing or wrong" } };
  const text = await readBounded(incoming);
  if (text === undefined) return { status: 413, body: { error: `a request has at most ${MAX_BODY_BYTES} bytes` } };
  const parsed = requestSchema.safeParse(parse(text));
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
  const request = parsed.data;
  if ("epoch" in request && request.do !== "renew-lease" && !host.leases.holds(request.epoch)) {
    return DISPLACED;
  }

  switch (request.do) {
    case "look":
      return ok({ ...host.look(), holder: host.leases.holder });
    case "pods":
      return ok({ route: host.routeTo(request.color), pods: podAddresses(host, request.color) });
    case "take-lease":
      return ok(host.leases.take(request.holder, request.takeOver));
    case "renew-lease":
      return ok({ renewed: host.leases.renew(request.epoch) });
    case "give-lease-back":
      host.leases.giveBack(request.epoch);
      return ok({});
    case "stage":
      try {
        return ok(host.stage(request.color, request));
      } catch (error) {
        if (error instanceof UsageError) return { status: 422, body: { error: error.message } };
        throw error;
      }
    case "hold":
      host.hold(request.color, request.pods);
      return ok({});
    case "move-traffic":
      return ok(host.moveTraffic(request.from, request.to));
    case "end-pod":
      host.endPod(request.color, request.pod);
      return ok({});
    case "migration":
      return ok({ run: host.migrations.look(request.mark) });
    case "create-migration":
      host.migrations.create(request.run);
      return ok({});
    case "start-migration":
      host.migrations.start(request.mark);
      return ok({});
    case "record":
      host.record(request.release);
      return ok({});
  }
}

const DISPLACED: Answer = { status: 409, body: { error: "another command has taken over this release's lease" } };

const ok = (body: unknown): Answer => ({ status: 200, body });

function podAddresses(host: Host, color: "blue" | "green") {
  return host.pods(color).map(({ name, ready, ports, pid }) => ({ name, ready, ports, pid }));
}

function allowed({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Nothing when there is more than a request may have; the rest is not read. */
async function readBounded(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  // Whatever was sent beyond what was read goes away with the connection.
  const connection = status === 200 ? {} : { connection: "close" };
  response.writeHead(status, { "content-type": "application/json", ...connection }).end(JSON.stringify(body));
}
