import type { AuthInfo } from "@modelcontextprotocol/server";

/**
 * The principal of a token: its subject, or without one the client that it was issued to. The
 * prefixes keep subjects, clients and addresses apart, so that a name never gives access to the
 * share of another.
 */
export function principalOf({ clientId, extra }: AuthInfo): string {
  return typeof extra?.subject === "string" ? `subject:${extra.subject}` : `client:${clientId}`;
}

/** The client that limits are counted by: the principal, or without authorization the address. */
export function clientOf(authInfo: AuthInfo | undefined, address = ""): string {
  return authInfo === undefined ? `address:${address}` : principalOf(authInfo);
}
