import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { environment } from "../../environment/environment.ts";
import { secretSetting } from "../../environment/secret-setting.ts";
import local from "../../environments/local.ts";

const withApp = (app: object) => () => environment({ ...local, app: { ...local.app, ...app } });

/** In parts, so that no scanner takes a test for a leak. */
const token = (prefix: string) => prefix + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8";

describe("a plain setting that looks like a secret", () => {
  it.each([
    ["DB_PASSWORD", "hunter2", "its name ends in 'PASSWORD'"],
    ["PGPASSWORD", "hunter2", "its name ends in 'PASSWORD'"],
    ["clientSecret", "abc", "its name ends in 'Secret'"],
    ["SERVICE_CREDENTIAL", "abc", "its name ends in 'CREDENTIAL'"],
    ["GRAFANA_SERVICE_ACCOUNT_TOKEN", "abc", "its name ends in 'TOKEN'"],
    ["GITHUB_PAT", "abc", "its name ends in 'PAT'"],
    ["SENTRY_DSN", "https://1@o1.ingest.example/2", "its name ends in 'DSN'"],
    ["OPENAI_API_KEY", "abc", "its name ends in 'API_KEY'"],
    ["apiKey", "abc", "its name ends in 'apiKey'"],
    ["JWT_SIGNING_KEY", "abc", "its name ends in 'SIGNING_KEY'"],
    ["DATABASE_URL", "postgres://user:hunter2@db:5432/app", "it is a URL with a password"],
    ["REDIS", "redis://:hunter2@redis:6379", "it is a URL with a password"],
    ["UPSTREAMS", "https://a.example,https://u:p@b.example", "it is a URL with a password"],
    ["CERT", "-----BEGIN EC PRIVATE KEY-----\nabc", "it is a private key"],
    ["CERT", "-----BEGIN PRIVATE KEY-----", "it is a private key"],
    ["HEADERS", "Authorization: Bearer abc", "it is an authorization header"],
    ["HEADERS", "x-team=a,authorization=Basic dXNlcjpwYXNz", "it is an authorization header"],
    ["HEADER", "Bearer abcdefgh1", "it is an authorization header"],
    ["OTHER", token("ghp_"), "it has the prefix of a token of GitHub"],
    ["OTHER", token("glpat-"), "it has the prefix of a token of GitLab"],
    ["OTHER", token("xoxb-"), "it has the prefix of a token of Slack"],
    ["OTHER", token("sk-ant-"), "it has the prefix of a token of an AI provider"],
    ["OTHER", "AKIA" + "IOSFODNN7EXAMPLE", "it has the prefix of a token of AWS"],
    ["OTHER", `key=${token("glsa_")}`, "it has the prefix of a token of Grafana"],
  ])("is recognized: %s=%s", (name, value, reason) => {
    expect(secretSetting(name, value)).toBe(reason);
  });

  it.each([
    ["DB_PASSWORD", ""],
    ["REQUIRE_TOKEN", "true"],
    ["MAX_TOKEN", "4096"],
    ["ACCESS_TOKEN", "15m"],
    ["POLL_TOKEN", "1h30m"],
    ["TLS_PRIVATE_KEY", "/run/secrets/tls.key"],
    ["SIGNING_KEY", "./keys/signing.pem"],
    ["DB_PASSWORD", "$(PGPASSWORD)"],
    ["DATABASE_URL", "postgres://user:$(PGPASSWORD)@db:5432/app"],
    ["DATABASE_URL", "postgres://user@db:5432/app"],
    ["AUTH", "Bearer $(TOKEN)"],
    ["HINT", "Bearer authentication"],
    ["GRAFANA_URL", "http://grafana:3000"],
    ["ISSUER", "https://login.example.com:8443/path@v2"],
    ["MODE", "COMPAT"],
    ["FORMAT_COMPAT", "strict"],
    ["PUBLIC_KEY", "abc"],
    ["CACHE_KEY", "abc"],
    ["TOKEN_ISSUER", "abc"],
    ["SECRET_NAME", "grafana"],
    ["BRANCH", "task-force-desk-top"],
    ["CERT", "-----BEGIN CERTIFICATE-----"],
  ])("is not found in %s=%s", (name, value) => {
    expect(secretSetting(name, value)).toBeUndefined();
  });

  it("is not found in any documented default of the bundled app", async () => {
    const page = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const rows = Array.from(page.matchAll(/^\| `(?<name>[A-Z_]+)` *\| (?<value>[^|]*?) *\|/gm), ({ groups }) => groups);

    expect(rows.length).toBeGreaterThan(50);
    const found = rows.filter((row) => secretSetting(row?.name ?? "", unquoted(row?.value ?? "")) !== undefined);
    expect(found).toEqual([]);
  });

  it("is refused with the way to reference a Secret, and its value is not shown", () => {
    const wrong = withApp({ settings: { AUTH_MODE: "off", WEATHER_TOKEN: "hunter2" } });

    expect(wrong).toThrow(
      "app.settings.WEATHER_TOKEN: looks like a secret (its name ends in 'TOKEN'), and a plain setting is readable in states, " +
        'plans and pods: remove it here and reference a Secret with app.settingsFrom: { WEATHER_TOKEN: { secret: "…", key: "…" } }, ' +
        'or say app.notSecret: ["WEATHER_TOKEN"]',
    );
    expect(wrong).not.toThrow("hunter2");
  });

  it("is accepted if the environment says that it is none, and that names no setting that does not exist", () => {
    const settings = { AUTH_MODE: "off", DEMO_TOKEN: "public" };

    expect(withApp({ settings, notSecret: ["DEMO_TOKEN"] })().app.settings.DEMO_TOKEN).toBe("public");
    expect(withApp({ settings: { AUTH_MODE: "off" }, notSecret: ["DEMO_TOKEN"] })).toThrow(
      "app.notSecret.0: 'DEMO_TOKEN' is not among app.settings",
    );
  });
});

describe("a setting by reference", () => {
  it.each([
    [{ A: { secret: "Bad_Name", key: "a" } }, "app.settingsFrom.A.secret: 'Bad_Name' is not an object's name"],
    [{ A: { secret: "a" } }, "app.settingsFrom.A: must name a Secret or a ConfigMap and a key"],
    [{ A: "text" }, "app.settingsFrom.A: must name a Secret or a ConfigMap and a key: { secret: 'name', key: 'key' }"],
    [{ A: { secret: "a", key: "b c" } }, "app.settingsFrom.A.key: 'b c' is not a key of a Secret or ConfigMap"],
    [
      { AUTH_MODE: { secret: "a", key: "b" } },
      "app.settingsFrom.AUTH_MODE: is also in app.settings: remove one of them",
    ],
  ])("is refused as %j", (settingsFrom, message) => {
    expect(withApp({ settingsFrom })).toThrow(message);
  });
});

/** A cell of the table: a default in backquotes, or words about it. */
const unquoted = (cell: string) => (cell === "none" || cell === "empty" ? "" : cell.replaceAll("`", ""));
