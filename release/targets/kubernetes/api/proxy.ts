import { BlockList, isIP } from "node:net";
import { InvalidKubeconfig } from "../../../../kubeconfig/invalid-kubeconfig.ts";

type Variables = Readonly<Record<string, string | undefined>>;

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];

/** @throws InvalidKubeconfig for what is no proxy */
export function parseProxy(text: string, origin: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "" || !SCHEMES.includes(url.protocol)) {
    const shown = text.replace(/\/\/.*@/, "//…@");
    throw new InvalidKubeconfig(
      `${origin} is '${shown}'; it must be a URL that starts with http://, https:// or socks5://`,
    );
  }
  if (isEncoded(url.username) && isEncoded(url.password)) return url;
  throw new InvalidKubeconfig(`${origin} has a '%' in its name or password; write it as '%25'`);
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The proxy that the variables name for a server, by the rules of Go's net/http: upper case first, never for this machine.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFromVariables(server: URL, variables: Variables): URL | undefined {
  const name = server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = first(variables, name);
  if (proxy === "" || !usesProxy(server, first(variables, "NO_PROXY"))) return undefined;
  return parseProxy(proxy.includes("://") ? proxy : `http://${proxy}`, name);
}

function first(variables: Variables, name: string): string {
  const upper = variables[name] ?? "";
  return upper === "" ? (variables[name.toLowerCase()] ?? "") : upper;
}

function usesProxy(server: URL, noProxy: string): boolean {
  const host = bare(server.hostname);
  if (host === "localhost" || isLoopback(host)) return false;
  const port = server.port || (server.protocol === "https:" ? "443" : "80");
  return !noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && matches(entry, host, port));
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const isLoopback = (host: string) => contains(LOOPBACK, host);

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return inNetwork(entry, host);
  const [, name = "", entryPort] = /^(\[[^\]]*\]|[^:]*|[^[]*:[^[]*:[^[]*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const pattern = bare(name);
  if (isIP(pattern) !== 0) return pattern === host;
  const domain = pattern.startsWith("*.") ? pattern.slice(1) : pattern;
  if (domain === "") return false;
  // With a dot in front it stands for the names below it only.
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function inNetwork(entry: string, host: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  const version = isIP(address);
  const prefix = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (version === 0 || !(prefix <= (version === 4 ? 32 : 128))) return false;
  const network = new BlockList();
  network.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return contains(network, host);
}

function contains(network: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && network.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** An IPv6 address without its brackets. */
export const bare = (host: string): string => host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
