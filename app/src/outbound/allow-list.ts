import { portOf, type AllowedHost } from "../config/outbound.ts";
import { ToolInputError } from "../errors/tool-input-error.ts";

/** Hosts that an error message lists. */
const MAX_SAID = 10;

/** Decides whether the host of a URL may be called. `Addresses` checks its addresses. */
export class AllowList {
  readonly #hosts: readonly AllowedHost[];

  constructor(hosts: readonly AllowedHost[]) {
    this.#hosts = hosts;
  }

  /**
   * Reads a URL as browsers do, so that all spellings of a host are equal.
   *
   * @throws ToolInputError for an invalid URL, a URL with a user, or a host that is not allowed
   */
  read(text: string, base?: URL): URL {
    const url = URL.parse(text, base?.href);
    if (url === null)
      throw new ToolInputError(`'${shortened(text)}' is not a URL: give one such as 'https://host/path'`);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw new ToolInputError(`only https and http URLs may be called, not '${shortened(url.protocol)}'`);
    if (url.username !== "" || url.password !== "")
      throw new ToolInputError("a URL may not carry a user or a password: use the header 'authorization'");
    if (!this.#hosts.some((allowed) => matches(allowed, url)))
      throw new ToolInputError(`${shortened(url.origin)} may not be called: ${this.#whatMay()}`);
    url.hash = "";
    return url;
  }

  /** Whether an origin is in the list by name, and not by a wildcard. */
  names(origin: string): boolean {
    const url = new URL(origin);
    return this.#hosts.some((allowed) => !allowed.subdomains && matches(allowed, url));
  }

  #whatMay(): string {
    if (this.#hosts.length === 0) return "OUTBOUND_ALLOW, which lists what may be, is empty on this server";
    const hosts = [...new Set(this.#hosts.map(written))];
    const more = hosts.length > MAX_SAID ? ` and ${hosts.length - MAX_SAID} more` : "";
    return `OUTBOUND_ALLOW on this server lists ${hosts.slice(0, MAX_SAID).join(", ")}${more}`;
  }
}

function matches({ protocol, host, port, subdomains }: AllowedHost, url: URL): boolean {
  if (protocol !== url.protocol || port !== portOf(url)) return false;
  return subdomains ? url.hostname.endsWith(`.${host}`) && !url.hostname.startsWith(".") : url.hostname === host;
}

function written({ protocol, host, port, subdomains }: AllowedHost): string {
  const url = new URL(`${protocol}//${host}:${port}`);
  return `${protocol}//${subdomains ? "*." : ""}${url.host}`;
}

const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
