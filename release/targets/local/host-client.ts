import { z } from "zod";
import { COLORS, type Color } from "../../../environment/color.ts";
import { Displaced, TargetRefused, TargetUnreachable, UsageError } from "../../errors.ts";
import { releaseRecordSchema } from "../../record.ts";
import { reason } from "../pages.ts";
import { homeFolder, readAddress, type HostAddress } from "./address.ts";
import type { ControlRequest } from "./host/control.ts";

const REQUEST_TIMEOUT_MS = 5000;

const colorSchema = z.object({
  image: z.string().optional(),
  mark: z.string().optional(),
  settings: z.record(z.string(), z.string()),
  desired: z.number(),
  minimum: z.number(),
  heldAt: z.number().optional(),
  pods: z.array(z.object({ name: z.string(), ready: z.boolean(), restarts: z.number(), current: z.boolean() })),
  problems: z.array(z.object({ what: z.string(), final: z.boolean() })),
});

const stateSchema = z.object({
  live: z.enum(COLORS),
  colors: z.object({ blue: colorSchema, green: colorSchema }),
  release: releaseRecordSchema.optional(),
  history: z.array(releaseRecordSchema),
  notes: z.object({
    total: z.number(),
    last: z.array(z.object({ kind: z.enum(["ended", "killed", "cut"]), sentence: z.string() })),
  }),
  /** Of the lease; none if it is free. */
  holder: z.string().optional(),
});

const podsSchema = z.object({
  route: z.url(),
  pods: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean(),
      /** By their names in the server's description. */
      ports: z.record(z.string(), z.number()).optional(),
    }),
  ),
});

const refusalSchema = z.object({ error: z.string() });

/** Talks to the host of this machine. Every method throws TargetUnreachable if it does not answer. */
export class HostClient {
  readonly #address: HostAddress;

  constructor(address: HostAddress) {
    this.#address = address;
  }

  /** @throws TargetUnreachable if no host runs here */
  static async open(): Promise<HostClient> {
    return new HostClient(await readAddress(homeFolder()));
  }

  get description(): readonly string[] {
    const { url, pid } = this.#address;
    return [`local host (process ${pid}), MCP server on ${url}`];
  }

  async state(signal?: AbortSignal): Promise<z.output<typeof stateSchema>> {
    return await this.ask({ do: "look" }, stateSchema, signal);
  }

  async pods(color: Color, signal?: AbortSignal): Promise<z.output<typeof podsSchema>> {
    return await this.ask({ do: "pods", color }, podsSchema, signal);
  }

  /**
   * @throws UsageError with the host's message if the artifact does not exist
   * @throws Displaced if the request carries an epoch that is not the last one
   * @throws TargetRefused if the host does not take the request, or gives an answer of another shape
   */
  async ask<T>(request: ControlRequest, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const { control, token } = this.#address;
    const { status, answer } = await post(control, token, request, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new TargetUnreachable(
        `the local host at ${control} does not answer (${reason(error)}); is 'mcp-bluegreen local' running?`,
      );
    });
    if (status === 200) return read(shape, answer);
    const { error } = read(refusalSchema, answer);
    if (status === 409) throw new Displaced(error);
    if (status === 422) throw new UsageError(error);
    if (status === 401) throw new TargetRefused("forbidden", `the local host refused the request: ${error}`);
    if (status < 500) throw new TargetRefused("invalid", `the local host refused the request: ${error}`);
    throw new TargetUnreachable(error);
  }
}

function read<T>(shape: z.ZodType<T>, answer: unknown): T {
  const { data, error } = shape.safeParse(answer);
  if (error === undefined) return data;
  const problem = z.prettifyError(error).replaceAll(/\s+/g, " ");
  const message = `the local host gave an answer of another shape (${problem}); restart it with 'mcp-bluegreen local'`;
  throw new TargetRefused("invalid", message);
}

async function post(control: string, token: string, request: ControlRequest, signal?: AbortSignal) {
  const deadline = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(control, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  });
  return { status: response.status, answer: await response.json() };
}
