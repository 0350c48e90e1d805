import type { Client } from "@modelcontextprotocol/client";
import { z } from "zod";
import type { Environment } from "../../environment/environment.ts";
import { callOptions } from "./client.ts";

export type Smoke = Environment["release"]["smoke"];

export interface SmokeAnswer {
  /** What is wrong with the answer, in one line; none if it is the expected one. */
  readonly wrong?: string;
  /** Whether the pod counted a tool call as failed; none if it was no tool call. */
  readonly counted?: { readonly failed: boolean };
}

/**
 * Makes the environment's smoke call in a client session: the tool, or a list of the tools if the environment names none.
 *
 * @throws what the client throws if there is no answer
 */
export async function smokeCall(client: Client, smoke: Smoke, signal: AbortSignal): Promise<SmokeAnswer> {
  if (smoke === undefined) {
    const { tools } = await client.listTools({}, callOptions(signal));
    return tools.length > 0 ? {} : { wrong: "the server has no tools" };
  }
  const { tool, arguments: args, expect } = smoke;
  const answer = await client.callTool({ name: tool, arguments: args }, callOptions(signal));
  const counted = { failed: answer.isError === true };
  if (counted.failed) return { wrong: `${tool} failed: ${short(answer.content)}`, counted };
  const asked = `${tool}(${JSON.stringify(args)})`;
  if (!(expect instanceof z.ZodType)) {
    const text = answer.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
    if (text.includes(expect.text)) return { counted };
    return { wrong: `${asked} answered ${short(text)}, without ${JSON.stringify(expect.text)}`, counted };
  }
  const { error } = expect.safeParse(answer.structuredContent);
  if (error === undefined) return { counted };
  return { wrong: `${asked} answered ${short(answer.structuredContent)}: ${z.prettifyError(error)}`, counted };
}

const short = (value: unknown) => JSON.stringify(value ?? "nothing").slice(0, 200);
