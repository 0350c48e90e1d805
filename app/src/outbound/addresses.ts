import { lookup as lookupDns } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { asError } from "../resilience/call.ts";
import { describeNetworkError, Unresolved, UpstreamFailure } from "./upstream-failure.ts";

/**
 * The kind of an address. `private`: this machine, this network or this cluster. `never`: no call
 * may go there, such as instance metadata.
 */
export type Reach = "public" | "private" | "never";

/** Metadata and credential services with addresses that are not link-local. */
const METADATA = new Set([
  "fd00:ec2::254", // Amazon EC2
  "fd00:ec2::23", // Amazon EKS Pod Identity
  "fd20:ce::254", // Google Cloud
  "fd00:c1::a9fe:a9fe", // Oracle Cloud
  "100.100.100.200", // Alibaba Cloud
  "168.63.129.16", // Azure
]);

const PRIVATE: ReadonlySet<string> = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

/**
 * The kind of an address. An IPv6 address that embeds an IPv4 address (NAT64, dual-stack sockets)
 * has the kind of the IPv4 address.
 */
export function reachOf(address: string): Reach {
  // The parser reads ::10.0.0.1, which resolvers write for ::a00:1, as ::ffff:10.0.0.1.
  if (!ipaddr.isValid(address) || /^::\d+\./.test(address)) return "never";
  const parsed = ipaddr.parse(address);
  if (METADATA.has(parsed.toString())) return "never";
  if (parsed.kind() === "ipv6") {
    const bytes = parsed.toByteArray();
    const range = parsed.range();
    if ("zoneId" in parsed && parsed.zoneId !== undefined) return "never";
    const embedsV4 = range === "ipv4Mapped" || (range === "rfc6052" && bytes.slice(4, 12).every((byte) => byte === 0));
    if (embedsV4) return reachOf(bytes.slice(12).join("."));
    // No addresses outside of 2000::/3 are assigned.
    if (range === "unicast") return ((bytes[0] ?? 0) & 0xe0) === 0x20 ? "public" : "never";
  }
  if (parsed.range() === "unicast") return "public";
  return PRIVATE.has(parsed.range()) ? "private" : "never";
}

export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemResolver: Resolve = (host) => lookupDns(host, { all: true });

/**
 * Decides which addresses a host may have.
 *
 * A name is resolved once for each connection, and the connection goes to the checked address,
 * which prevents DNS rebinding. One forbidden address among several makes the host forbidden.
 */
export class Addresses {
  readonly #mayBePrivate: ReadonlySet<string>;
  readonly #resolve: Resolve;

  /** @param mayBePrivate - hosts, in the form of a URL */
  constructor(mayBePrivate: ReadonlySet<string>, resolve: Resolve = systemResolver) {
    this.#mayBePrivate = mayBePrivate;
    this.#resolve = resolve;
  }

  /**
   * Checks a host that is an address, in any form that a URL allows: it will not be resolved.
   *
   * @throws ToolInputError
   */
  checkLiteral({ hostname }: Pick<URL, "hostname">): void {
    const address = hostname.replace(/^\[|\]$/g, "");
    if (isIP(address) !== 0) this.#check(hostname, address);
  }

  /** For sockets: resolves a name to addresses that may be connected to. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#checked(host).then(
      (found) => {
        const [first] = found;
        if (options.all === true) callback(null, [...found]);
        else if (first !== undefined) callback(null, first.address, first.family);
      },
      (error: unknown) => {
        callback(asError(error), "");
      },
    );
  };

  async #checked(host: string): ReturnType<Resolve> {
    const found = await this.#resolve(host).catch((error: unknown) => {
      const described = describeNetworkError(host, error);
      if (!(described instanceof UpstreamFailure)) throw described;
      throw new Unresolved(described.message, { isTransient: described.isTransient, cause: error });
    });
    if (found.length === 0) throw new Unresolved(`${host} has no address`);
    for (const { address } of found) this.#check(host, address);
    return found;
  }

  /** The message does not contain the address, because internal addresses are not for clients. */
  #check(host: string, address: string): void {
    const reach = reachOf(address);
    if (reach === "public" || (reach === "private" && this.#mayBePrivate.has(host))) return;
    throw new ToolInputError(
      reach === "private"
        ? `${host} has a private address: it may be called only if OUTBOUND_ALLOW_PRIVATE names it. Use a public host.`
        : `${host} has an address that may not be called. Use a public host.`,
    );
  }
}
