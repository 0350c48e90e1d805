import type { AuthInfo } from "@modelcontextprotocol/server";

/**
 * Whom a token speaks for: its subject; without one, the client it was issued to. The prefix keeps the two, and addresses, apart, so
 * that nobody gets another's share by a name.
 */
export function principalOf({ clientId, extra }: AuthInfo): string {
  return typeof extra?.subject === "string" ? `subject:${extra.subject}` : `client:${clientId}`;
}
