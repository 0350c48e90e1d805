import { z } from "zod";
import { count, list, wholeNumber } from "./kinds.ts";

/** An entry of the allow-list. */
export interface AllowedHost {
  readonly protocol: "http:" | "https:";
  /** In the form of a URL: lower case, punycode, brackets around IPv6. */
  readonly host: string;
  readonly port: number;
  /** Whether the names below `host` are allowed instead of `host`. */
  readonly subdomains: boolean;
}

/** Equivalent endpoints. */
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

export const outboundVariables = {
  OUTBOUND_ALLOW: allowedHosts
    .prefault("")
    .describe(
      "Hosts that tools may call for clients: `api.example.com`, `*.example.com` for the names below it, `api.example.com:8443`. https, unless an entry says `http://`. Empty allows none.",
    ),
  OUTBOUND_ALLOW_PRIVATE: bareHosts
    .prefault("")
    .describe(
      "Hosts of `OUTBOUND_ALLOW` that may have private or loopback addresses, such as services of the cluster. Instance metadata may never be called.",
    ),
  OUTBOUND_POOLS: pools
    .prefault("")
    .describe(
      "Pools of equivalent endpoints with weights: `search=https://a.example,https://b.example*3;other=…`. The two settings above need not name them.",
    ),
  OUTBOUND_MAX_CONCURRENT: wholeNumber(1, 1000)
    .prefault("20")
    .describe("Concurrent calls to one upstream; twice as many may wait."),
  RATE_LIMIT_RATE: count
    .prefault("10")
    .describe("Sustained calls of `rate_limited_operation` per second of each client."),
  RATE_LIMIT_BURST: count.prefault("20").describe("Calls of it that a client may make at once."),
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

/** The port of a URL, also if it is the default port. */
export function portOf({ protocol, port }: Pick<URL, "protocol" | "port">): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

function readHost(entry: string): AllowedHost | undefined {
  const [, scheme = "https://", wildcard, rest = ""] = /^(https?:\/\/)?(\*\.)?(.+)$/.exec(entry) ?? [];
  const url = readUrl(scheme + rest);
  // `*.com` would allow too much.
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

/** A URL of scheme, host and port only. */
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
