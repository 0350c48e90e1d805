import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { readConfig, variables } from "../../app/src/config.ts";
import { TOOL_NAMES } from "../../app/src/config/tools.ts";
import { InvalidConfig } from "../../app/src/config/invalid-config.ts";

const read = (environment: Readonly<Record<string, string>>) => readConfig({ AUTH_MODE: "off", ...environment });

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

describe("the configuration", () => {
  it("needs to be told who may call, and nothing else", () => {
    expect(() => readConfig({})).toThrow(InvalidConfig);
    expect(readConfig({ AUTH_MODE: "off" })).toMatchObject({
      mcpPort: 8080,
      adminPort: 9090,
      color: "none",
      host: "0.0.0.0",
    });
  });

  it("reads durations with their unit into milliseconds", () => {
    const { breakers, drainDelay, weather } = read({
      CB_TIMEOUT: "1500ms",
      DRAIN_DELAY: "2s",
      WEATHER_CACHE_TTL: "5m",
    });

    expect([breakers.weather_api.timeout, drainDelay, weather.cacheTtl]).toEqual([1500, 2000, 300_000]);
  });

  it("gives guarded calls some time, and leaves tools some to fall back", () => {
    expect(read({ CB_TIMEOUT: "20s" }).breakers.weather_api.timeout).toBe(20_000);
    expect(() => read({ CB_TIMEOUT: "21s" })).toThrow("CB_TIMEOUT must be between 1ms and 20s, not '21s'");
    expect(() => read({ CB_TIMEOUT: "0s" })).toThrow(InvalidConfig);
  });

  it("gives each breaker the rule that is set for it, and warms what is listed", () => {
    const { breakers, cache } = read({
      CB_RULES: "weather_api=failure-rate, upstream=adaptive",
      CACHE_WARM: "weather:Berlin",
    });

    expect([breakers.weather_api, breakers.upstream, breakers.database].map(({ opensOn }) => opensOn)).toEqual([
      "failure-rate",
      "adaptive",
      "consecutive",
    ]);
    expect(cache.warm).toEqual([{ source: "weather", argument: "Berlin" }]);
    for (const CB_RULES of ["weather_api", "weather=adaptive", "upstream=often", "upstream=adaptive=more"])
      expect(() => read({ CB_RULES })).toThrow(`'${CB_RULES}' is none`);
    for (const CACHE_WARM of ["fibonacci:x", "stock:1", "weather:", Array(51).fill("weather:Berlin").join(",")])
      expect(() => read({ CACHE_WARM })).toThrow(InvalidConfig);
  });

  const durations = Object.entries(variables.shape)
    .filter(([, schema]) => schema.safeParse("15").error?.issues[0]?.message.includes("'500ms'"))
    .map(([name]) => name);

  it.each(durations)("has an upper bound for %s, since a timer that overflows fires at once", (name) => {
    expect(() => read({ [name]: "600h" })).toThrow(/must be between \w+ and \w+, not '600h'/);
    expect(() => read({ [name]: "9".repeat(400) + "h" })).toThrow(InvalidConfig);
  });

  it("knows all of the durations", () => {
    expect(durations).toEqual(expect.arrayContaining(["REDIS_TIMEOUT", "DRAIN_TIMEOUT", "CACHE_TTL"]));
  });

  it("gives Redis some time to answer", () => {
    expect(() => read({ REDIS_TIMEOUT: "0s" })).toThrow("REDIS_TIMEOUT must be between 10ms and 60s, not '0s'");
  });

  it.each([
    ["redis://:100%sure@127.0.0.1:1", "must have user and password percent-encoded"],
    ["redis://us%er:x@127.0.0.1:1", "must have user and password percent-encoded"],
    ["redis://127.0.0.1:1/cache", "must have the number of a database as its path"],
    ["redis:///var/run/redis.sock", "must name a host"],
    ["unix:///var/run/redis.sock", "must be a redis or rediss URL"],
  ])("names REDIS_URL when the client library would refuse %s, and shows nothing of it", (url, problem) => {
    const error = thrownBy(() => read({ REDIS_URL: url }));

    expect(error).toBeInstanceOf(InvalidConfig);
    expect(error.message).toContain(`REDIS_URL ${problem}`);
    expect(error.message).not.toContain("sure");
  });

  it("reads a REDIS_URL with a percent-encoded password and the number of a database", () => {
    const url = "rediss://app:p%40ss@redis.example:6380/3";

    expect(read({ REDIS_URL: url }).redis?.url).toBe(url);
    expect(() => read({ REDIS_URL: url, REDIS_CLUSTER: "true" })).toThrow("REDIS_URL must name no database");
  });

  it.each(["WEATHER_FORECAST_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "AUTH_JWKS_URL"])(
    "refuses credentials in %s, with which no request can be made, and does not show them",
    (name) => {
      const error = thrownBy(() => read({ [name]: "https://user:secret@api.example/v1" }));

      expect(error.message).toContain(`${name} must have no user and no password, not 'https://…@api.example/v1'`);
    },
  );

  it("takes an empty variable for an absent one", () => {
    expect(read({ MCP_PORT: "", REQUEST_STATE_KEY: "" })).toEqual(read({}));
  });

  it("reads lists of host names in any case, with or without spaces", () => {
    expect(read({ ALLOWED_HOSTS: "MCP.example, localhost,," }).allowedHosts).toEqual(["mcp.example", "localhost"]);
  });

  it("has the bundled tools that TOOLS names, in their own order, and refuses others with the list of all", () => {
    expect(read({}).bundledTools).toEqual(TOOL_NAMES);
    expect(read({ TOOLS: "all" }).bundledTools).toEqual(TOOL_NAMES);
    expect(read({ TOOLS: "none" }).bundledTools).toEqual([]);
    expect(read({ TOOLS: "simple_health, get_data,get_data," }).bundledTools).toEqual(["get_data", "simple_health"]);

    for (const TOOLS of ["all,get_data", "none,all", "ALL", " , "]) {
      expect(() => read({ TOOLS })).toThrow("must be 'all', 'none' or some of get_weather_with_fallback, ");
    }
    expect(() => read({ TOOLS: "get_dta,get_data" })).toThrow(
      /TOOLS has the unknown name 'get_dta': it must be 'all', 'none' or some of .*simple_health, not 'get_dta,get_data'/,
    );
  });

  it("counts the bytes of the request-state key, not its characters", () => {
    expect(() => read({ REQUEST_STATE_KEY: "é".repeat(15) })).toThrow(InvalidConfig);
    expect(read({ REQUEST_STATE_KEY: "é".repeat(16) }).requestStateKey).toBe("é".repeat(16));
  });

  it("is documented in docs/configuration.md, each variable with its default and purpose", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
    const documented = page.split("\n").filter((line) => line.startsWith("| `"));

    expect(documented.map((row) => row.replace(/ +\|/g, " |"))).toEqual(
      Object.entries(variables.shape).map(([name, schema]) => {
        const { default: value } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
        const shown = value === undefined ? "none" : value === "" ? "empty" : `\`${value as string}\``;
        return `| \`${name}\` | ${shown} | ${schema.description ?? ""} |`;
      }),
    );
  });
});
