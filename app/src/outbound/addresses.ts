import { lookup as lookupDns } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { ToolInputError } from "../errors/tool-input-error.ts";
import { asError } from "../resilience/call.ts";
import { describeNetworkError, Unresolved, UpstreamFailure } from "./upstream-failure.ts";

/**
 * Who can be behind an address. `public`: anybody. `private`: this machine, this network, this cluster. `never`: what no call has any
 * business with, instance metadata above all.
 */
export type Reach = "public" | "private" | "never";

/** Metadata services, and others that hand out credentials, that hide among addresses of another kind. */
const METADATA = new Set([
  "fd00:ec2::254", // Amazon EC2
  "fd00:ec2::23", // Amazon EKS Pod Identity
  "fd20:ce::254", // Google Cloud
  "fd00:c1::a9fe:a9fe", // Oracle Cloud
  "100.100.100.200", // Alibaba Cloud
  "168.63.129.16", // Azure
]);

const PRIVATE: ReadonlySet<string> = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

/** An address that embeds an IPv4 address, as NAT64 and dual-stack sockets write it, is judged by that one. */
export function reachOf(address: string): Reach {
  // The parser takes ::10.0.0.1, as resolvers write ::a00:1, for ::ffff:10.0.0.1.
  if (!ipaddr.isValid(address) || /^::\d+\./.test(address)) return "never";
  const parsed = ipaddr.parse(address);
  if (METADATA.has(parsed.toString())) return "never";
  if (parsed.kind() === "ipv6") {
    const bytes = parsed.toByteArray();
    const range = parsed.range();
    if ("zoneId" in parsed && parsed.zoneId !== undefined) return "never";
    const embedsV4 = range === "ipv4Mapped" || (range === "rfc6052" && bytes.slice(4, 12).every((byte) => byte === 0));
    if (embedsV4) return reachOf(bytes.slice(12).join("."));
    // Beyond 2000::/3 nothing has been given out.
    if (range === "unicast") return ((bytes[0] ?? 0) & 0xe0) === 0x20 ? "public" : "never";
  }
  if (parsed.range() === "unicast") return "public";
  return PRIVATE.has(parsed.range()) ? "private" : "never";
}

/** All addresses of a host. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemResolver: Resolve = (host) => lookupDns(host, { all: true });

/**
 * Decides which addresses a host may have.
 *
 * A name is looked up once per connection and the connection goes to what was checked: a name that means something else a
 * moment later (DNS rebinding) gains nothing. One bad address among several is enough to refuse them all.
 */
export class Addresses {
  readonly #mayBePrivate: ReadonlySet<string>;
  readonly #resolve: Resolve;

  /** @param mayBePrivate - hosts as a URL spells them */
  constructor(mayBePrivate: ReadonlySet<string>, resolve: Resolve = systemResolver) {
    this.#mayBePrivate = mayBePrivate;
    this.#resolve = resolve;
  }

  /**
   * Checks a host that is an address, in whatever spelling a URL allows, for which nothing will be looked up.
   *
   * @throws ToolInputError
   */
  checkLiteral({ hostname }: Pick<URL, "hostname">): void {
    const address = hostname.replace(/^\[|\]$/g, "");
    if (isIP(address) !== 0) this.#check(hostname, address);
  }

  /** For sockets: looks a name up and gives only what may be connected to. */
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

  /** The address stays unsaid: how names resolve inside is nobody's business outside. */
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
