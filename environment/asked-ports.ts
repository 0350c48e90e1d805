const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

const DEFAULTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "postgres:": 5432,
  "postgresql:": 5432,
  "mysql:": 3306,
  "redis:": 6379,
  "rediss:": 6379,
  "mongodb:": 27017,
  "amqp:": 5672,
  "nats:": 4222,
};

/**
 * The ports that a setting names: of a URL, of a collector's `host:port`, or of a list such as
 * `api.example.com,http://*.internal:8080` or `search=https://a.example,https://b.example*3;…`. A host alone means HTTPS.
 * Ports of the pod itself are left out.
 *
 * @returns undefined if a port cannot be told
 */
export function askedPorts(setting: string): number[] | undefined {
  const ports = items(setting).map(portOf);
  return ports.includes(undefined) ? undefined : ports.filter((port) => port !== undefined && port !== null);
}

const items = (text: string) =>
  text
    .split(/[,;]/)
    .map((item) =>
      item
        .trim()
        .replace(/^[^=/]*=/, "")
        .replace(/\*\d+$/, ""),
    )
    .filter((item) => item !== "");

/** null for a port of the pod itself. */
function portOf(item: string): number | null | undefined {
  const isHostAndPort = /^[\w.*-]+:\d+(?:\/|$)/.test(item);
  const isHost = /^[\w*-]+(?:\.[\w-]+)+$/.test(item);
  const url = URL.parse(isHostAndPort ? `tcp://${item}` : isHost ? `https://${item}` : item);
  if (url === null) return undefined;
  if (LOOPBACK.includes(url.hostname)) return null;
  return url.port === "" ? DEFAULTS[url.protocol] : Number(url.port);
}
