import { z } from "zod";
import { count, list, wholeNumber } from "./kinds.ts";

/** A host that calls may go to. */
export interface AllowedHost {
  readonly protocol: "http:" | "https:";
  /** As a URL spells it: lower case, punycode, brackets around IPv6. */
  readonly host: string;
  readonly port: number;
  /** Whether the names below `host` are meant, and not `host` itself. */
  readonly subdomains: boolean;
}

/** Endpoints that can do the same. */
export interface PoolConfig {
  readonly name: string;
  readonly endpoints: readonly { readonly origin: string; readonly weight: number }[];
}

const allowedHosts = list.transform((entries, context) =>
  entries.flatMap((entry) => {
    const host = readHost(entry);
    if (host !== undefined) return host;
    context.addIssue(
      `must be hosts such as 'api.example.com', '*.example.com', 'api.example.com:8443' or 'http://api.example.com', without a path; '${entry}' is none`,
    );
    return [];
  }),
);

const bareHosts = list.transform((entries, context) =>
  entries.flatMap((entry) => {
    const url = readUrl(`https://${entry}`);
    if (url?.port === "" && !entry.includes("*")) return url.hostname;
    context.addIssue(
      `must be hosts such as 'reports.internal' or '10.1.2.3', without scheme and port; '${entry}' is none`,
    );
    return [];
  }),
);

const pools = z.string().transform((text, context) => {
  const read = text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .flatMap((part) => {
      const pool = readPool(part);
      if (pool !== undefined) return pool;
      context.addIssue(
        `must be pools such as 'search=https://a.example,https://b.example*3', each name once and separated by ';'; '${part}' is none`,
      );
      return [];
    });
  if (new Set(read.map(({ name }) => name)).size < read.length) context.addIssue("must name each pool once");
  return read;
});

/** What tools may call, and how often they may be called. */
export const outboundVariables = {
  OUTBOUND_ALLOW: allowedHosts
    .prefault("")
    .describe(
      "Hosts that tools may call for clients: `api.example.com`, `*.example.com` for the names below it, `api.example.com:8443`. https, unless an entry says `http://`. Empty allows none.",
    ),
  OUTBOUND_ALLOW_PRIVATE: bareHosts
    .prefault("")
    .describe(
      "Of those, hosts that may have private or loopback addresses, such as services of the cluster. Addresses of instance metadata never may.",
    ),
  OUTBOUND_POOLS: pools
    .prefault("")
    .describe(
      "Pools of endpoints that can do the same, each with a weight: `search=https://a.example,https://b.example*3;other=…`. They may be called as if the two settings above named them.",
    ),
  OUTBOUND_MAX_CONCURRENT: wholeNumber(1, 1000)
    .prefault("20")
    .describe("Calls under way to one upstream at the same time; twice as many may wait."),
  RATE_LIMIT_RATE: count
    .prefault("10")
    .describe("Calls of `rate_limited_operation` a second that each client may go on making."),
  RATE_LIMIT_BURST: count.prefault("20").describe("Calls of it that a client may make at once after a pause."),
};

type Values = z.output<z.ZodObject<typeof outboundVariables>>;

export function outboundConfig(values: Values) {
  return {
    allow: values.OUTBOUND_ALLOW,
    allowPrivate: values.OUTBOUND_ALLOW_PRIVATE,
    pools: values.OUTBOUND_POOLS,
    maxConcurrent: values.OUTBOUND_MAX_CONCURRENT,
  };
}

export type OutboundConfig = ReturnType<typeof outboundConfig>;

export function rateLimitConfig(values: Values) {
  return { rate: values.RATE_LIMIT_RATE, burst: values.RATE_LIMIT_BURST };
}

export type RateLimitConfig = ReturnType<typeof rateLimitConfig>;

/** The port that a URL names or means. */
export function portOf({ protocol, port }: Pick<URL, "protocol" | "port">): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function readHost(entry: string): AllowedHost | undefined {
  const [, scheme = "https://", wildcard, rest = ""] = /^(https?:\/\/)?(\*\.)?(.+)$/.exec(entry) ?? [];
  const url = readUrl(scheme + rest);
  // `*.com` would allow more than anybody means.
  if (url === undefined || (wildcard !== undefined && !/[^.]\.[^.]/.test(url.hostname))) return undefined;
  return {
    protocol: url.protocol === "https:" ? "https:" : "http:",
    host: url.hostname,
    port: portOf(url),
    subdomains: wildcard !== undefined,
  };
}

function readPool(text: string): PoolConfig | undefined {
  const [, name, rest] = /^([a-z0-9][a-z0-9_-]{0,39})=(.+)$/.exec(text) ?? [];
  if (name === undefined || rest === undefined) return undefined;
  const endpoints = rest.split(",").map((item) => {
    const [, origin = "", weight = "1"] = /^(https?:\/\/[^*]+?)(?:\*(\d{1,4}))?$/.exec(item.trim()) ?? [];
    const url = readUrl(origin);
    return url && { origin: url.origin, weight: Number(weight) };
  });
  const valid = endpoints.filter((endpoint) => endpoint !== undefined);
  const isWhole = valid.length === endpoints.length && new Set(valid.map(({ origin }) => origin)).size === valid.length;
  return isWhole ? { name, endpoints: valid } : undefined;
}

/** A URL that names a host and nothing behind it. */
function readUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  const isBare =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.hostname !== "" &&
    !url.hostname.includes("*") &&
    url.username + url.password + url.search + url.hash === "" &&
    url.pathname === "/" &&
    !text.replace(/^https?:\/\//, "").includes("/");
  return isBare ? url : undefined;
}
