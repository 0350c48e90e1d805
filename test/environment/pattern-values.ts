/** Texts that the API accepts and refuses, by the pattern that decides. */
export const PATTERN_VALUES = {
  dnsLabel: {
    accepted: ["a", "mcp-any", "1a", "a".repeat(63)],
    refused: ["", "Bad_Name", "-a", "a-", "a.b", "a".repeat(64)],
  },
  label1035: { accepted: ["a", "mcp-app", "a1"], refused: ["1a", "A", "a_b", "a-", "a".repeat(64)] },
  subdomain: {
    accepted: ["a", "my.config-1", "1.2", "a".repeat(253)],
    refused: ["", "My.Config", "a..b", ".a", "a_b", "a".repeat(254)],
  },
  qualifiedName: {
    accepted: ["a", "Team_1", "example.com/team", "a-b.c/D.e_f"],
    refused: ["", "/a", "a/", "a/b/c", "Example.com/team", "-a", `a/${"b".repeat(64)}`, "a b"],
  },
  labelValue: { accepted: ["", "a", "A.b_c-1", "a".repeat(63)], refused: ["-a", "a b", "a/b", "a".repeat(64)] },
  variableName: { accepted: ["A", "http_proxy", "_x", "Mixed1"], refused: ["", "1A", "log-level", "A B", "Ä"] },
  quantity: {
    accepted: ["250m", "0.5", ".25", "1Gi", "1e3", "1000"],
    refused: ["512MB", "1 Gi", "1GiB", "1K", "a", "1,5Gi"],
  },
} as const;
