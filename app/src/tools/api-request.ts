import { z } from "zod";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { stringifyExactly } from "../json/exact.ts";
import { HEADERS, METHODS, type HttpRequest } from "../outbound/request.ts";
import { wholeNumber } from "./arguments.ts";

export const MAX_URL = 2048;
const MAX_HEADER = 4096;
const MAX_HEADERS = 20;
const MAX_BODY_BYTES = 256 * 1024;

/** Input of tools that call an API, without the target. */
export const requestArguments = {
  method: z
    .enum(METHODS, { error: `must be one of ${METHODS.join(", ")}` })
    .optional()
    .describe("HTTP method; GET without it"),
  headers: z
    .record(z.string(), z.string("must be a text").max(MAX_HEADER, `must be at most ${MAX_HEADER} characters`), {
      error: "must be an object of texts, by the names of headers",
    })
    .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, `must be at most ${MAX_HEADERS} headers`)
    .optional()
    .describe(`Headers to send. Allowed are ${HEADERS.join(", ")}`),
  body: z
    .union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())], {
      error: "must be a text, or an object or a list that is sent as JSON",
    })
    .optional()
    .describe("What to send: text as it is, an object or a list as JSON"),
};

const A_URL = "a URL such as 'https://api.example.com/items'";

export const urlArgument = z
  .string(`must be ${A_URL}`)
  .min(1, `must not be empty: give ${A_URL}`)
  .max(MAX_URL, `must be at most ${MAX_URL} characters`)
  .describe("Absolute URL. Its host must be one that this server is allowed to call");

export const timeoutArgument = wholeNumber(100, 25_000)
  .optional()
  .describe("Milliseconds to wait for the answer, other attempts included");

export interface RequestArguments {
  readonly method?: HttpRequest["method"];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | readonly unknown[] | Readonly<Record<string, unknown>> | undefined;
}

/**
 * The request in the arguments, without the target.
 *
 * @throws ToolInputError for a body that is too large, or contains a number that is
 */
export function requestOf({ method, headers, body }: RequestArguments): Omit<HttpRequest, "url"> {
  if (body === undefined) return { method, headers };
  const text = typeof body === "string" ? body : stringifyExactly(body, numberTooLarge);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BODY_BYTES)
    throw new ToolInputError(`the body may have at most ${MAX_BODY_BYTES} bytes, not ${bytes}: send less`);
  const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
  const isTyped = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === "content-type");
  return { method, headers: isTyped ? headers : { ...headers, "content-type": type }, body: text };
}

const numberTooLarge = () =>
  new ToolInputError("'body' has a number in it that is too large for a double: write it as a string");
